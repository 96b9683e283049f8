import { setImmediate as otherWork } from 'node:timers/promises';
import type { ChunkSet } from '../../contracts/model/chunk.ts';
import type { Scope } from '../../contracts/model/ids.ts';
import type { LexicalEntry, LexicalIndex, PreparedPostings } from '../../ports/lexical-index.ts';
import { lexicalEntry } from '../../search/lexical/terms.ts';

/** Chunks whose words are counted in one go: some ten milliseconds. */
const chunksAtOnce = 32;

/** Writes the postings of a version's chunks; they are seen once they are switched on. */
export async function preparePostings(lexical: LexicalIndex, scope: Scope, set: ChunkSet): Promise<PreparedPostings> {
  const entries: LexicalEntry[] = [];
  for (const [index, chunk] of set.chunks.entries()) {
    if (index % chunksAtOnce === chunksAtOnce - 1) await otherWork();
    entries.push(lexicalEntry(set.title, chunk.text));
  }
  return lexical.prepare(scope, entries);
}
