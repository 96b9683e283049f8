import type { Scope } from '../../contracts/model/ids.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Compaction, LexicalIndex } from '../../ports/lexical-index.ts';
import type { Logger } from '../../ports/logger.ts';

/** Does a part of what there is to compact, in all namespaces. To be asked again and again. */
export async function compactPostings(
  deps: {
    readonly ledger: Pick<Ledger, 'tenants' | 'namespaces'>;
    readonly lexical: Pick<LexicalIndex, 'compact'>;
    readonly logger: Logger;
  },
  signal?: AbortSignal,
): Promise<Compaction> {
  const scopes: Scope[] = [];
  for (const tenant of await deps.ledger.tenants())
    for (const { namespace } of await deps.ledger.namespaces(tenant)) scopes.push({ tenant, namespace });
  const compaction = await deps.lexical.compact(scopes, { signal });
  const { lists, dropped, done } = compaction;
  if (lists > 0) deps.logger.info('postings compacted', { lists, dropped, done });
  return compaction;
}
