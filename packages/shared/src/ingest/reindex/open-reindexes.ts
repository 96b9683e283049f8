import type { Scope } from '../../contracts/model/ids.ts';
import { isTerminal } from '../../contracts/model/job.ts';
import type { JobRecord, Ledger } from '../../ports/ledger.ts';
import { namespaceDocumentId } from '../new-id.ts';

/** Jobs of whole namespaces are few; of these so many of the newest are looked at. */
const most = 100;

/** The jobs that re-index a namespace and have not ended, newest first. */
export async function openReindexes(
  ledger: Pick<Ledger, 'listJobs'>,
  { tenant, namespace }: Scope,
): Promise<readonly JobRecord[]> {
  const { items } = await ledger.listJobs(tenant, {
    documentId: namespaceDocumentId(namespace),
    namespace,
    matches: ({ sourceType, state }) => sourceType === 'reindex' && !isTerminal(state),
    limit: most,
  });
  return items;
}
