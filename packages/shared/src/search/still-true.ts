import type { Filter } from '../contracts/model/filter.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import type { NamespaceTable } from './document-table.ts';
import { compileFilter } from './filter.ts';

/**
 * Hits of some time ago as they are now: with the titles and metadata of the present. Undefined where one of them is of
 * a version that is not active any more, or is not asked for any more: nothing that was deleted is shown again.
 */
export function hitsStillTrue(
  hits: readonly SearchHit[],
  table: NamespaceTable,
  filter: Filter | undefined,
): SearchHit[] | undefined {
  const passes = filter ? compileFilter(filter) : () => true;
  const now: SearchHit[] = [];
  for (const hit of hits) {
    const row = table.rows.get(hit.documentId);
    if (!row || row.activeVersion !== hit.version || !passes(row)) return undefined;
    now.push({ ...hit, title: row.title, metadata: row.metadata });
  }
  return now;
}
