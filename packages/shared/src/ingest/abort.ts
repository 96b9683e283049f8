import type { Scope } from '../contracts/model/ids.ts';
import type { IngestDeps } from './deps.ts';
import type { VersionRef } from './stored/blob-keys.ts';
import { writeOutcomeOnce } from './stored/outcome.ts';

/**
 * Says durably that a version was never accepted, though its manifest was written: its request is answered with an
 * error. What the ledger has of it is taken out now, where that is possible, and by the reconciler in any case.
 * @returns false where the version had ended by then
 */
export async function abortVersion(
  deps: Pick<IngestDeps, 'blobs' | 'ledger' | 'clock' | 'logger'>,
  version: VersionRef & Scope & { readonly jobId: string },
): Promise<boolean> {
  const at = new Date(deps.clock.now()).toISOString();
  const { state } = await writeOutcomeOnce(deps.blobs, version, { state: 'aborted', run: 0, at });
  if (state !== 'aborted') return false;
  const { documentId, jobId } = version;
  await deps.ledger.withdrawVersion(version, documentId, version.version, jobId).catch((error: unknown) => {
    deps.logger.debug('what was not accepted is taken out of the ledger later', { jobId, error });
  });
  return true;
}
