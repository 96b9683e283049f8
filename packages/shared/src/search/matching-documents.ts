import { setImmediate as otherWork } from 'node:timers/promises';
import type { Filter } from '../contracts/model/filter.ts';
import type { NamespaceTable } from './document-table.ts';
import { compileFilter } from './filter.ts';

/** Rows that are tested in one go: about a millisecond. */
const rowsAtOnce = 2000;
/** How often a table may change under the walk before it is walked in one go. */
const maxRestarts = 2;
/** Filters of one namespace whose answers are kept: an application has few, and uses them over and over. */
const maxKept = 8;

interface Kept {
  readonly revision: number;
  readonly documents: ReadonlySet<string>;
}

/** By the JSON of the filter; gone with the table. */
const kept = new WeakMap<NamespaceTable, Map<string, Kept>>();

/**
 * The documents of a namespace that pass a filter; undefined where all do. Makes way for other work: a hundred thousand
 * documents take longer than a request should hold up others. Kept until a row changes.
 */
export async function matchingDocuments(
  table: NamespaceTable,
  filter: Filter | undefined,
): Promise<ReadonlySet<string> | undefined> {
  if (!filter) return undefined;
  const ofTable = kept.get(table) ?? new Map<string, Kept>();
  kept.set(table, ofTable);
  const key = JSON.stringify(filter);
  let known = ofTable.get(key);
  ofTable.delete(key);
  if (known?.revision !== table.revision) known = await test(table, filter);
  ofTable.set(key, known);
  const [oldest] = ofTable.keys();
  if (ofTable.size > maxKept) ofTable.delete(oldest as string);
  return known.documents.size === table.rows.size ? undefined : known.documents;
}

async function test(table: NamespaceTable, filter: Filter): Promise<Kept> {
  const matches = compileFilter(filter);
  for (let restarts = 0; ; restarts += 1) {
    const { revision } = table;
    const documents = new Set<string>();
    let tested = 0;
    for (const row of table.rows.values()) {
      tested += 1;
      if (tested % rowsAtOnce === 0 && restarts < maxRestarts) {
        await otherWork();
        if (table.revision !== revision) break;
      }
      if (matches(row)) documents.add(row.documentId);
    }
    if (table.revision === revision) return { revision, documents };
  }
}
