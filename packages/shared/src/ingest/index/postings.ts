import { setImmediate as otherWork } from 'node:timers/promises';
import type { ChunkSet } from '../../contracts/model/chunk.ts';
import type { Scope } from '../../contracts/model/ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { DocumentRow } from '../../ports/ledger.ts';
import type { LexicalEntry, LexicalIndex, PreparedPostings } from '../../ports/lexical-index.ts';
import { lexicalEntry } from '../../search/lexical/terms.ts';
import { readChunkSet } from '../stored/artifacts.ts';

/** Chunks whose words are counted in one go: some ten milliseconds. */
const chunksAtOnce = 32;

/**
 * Writes the postings of a version's chunks; they are seen once they are switched on.
 * @param title what the document is called: words find it by that too
 */
export async function preparePostings(
  lexical: LexicalIndex,
  scope: Scope,
  { chunks }: Pick<ChunkSet, 'chunks'>,
  title: string,
): Promise<PreparedPostings> {
  const entries: LexicalEntry[] = [];
  for (const [index, chunk] of chunks.entries()) {
    if (index % chunksAtOnce === chunksAtOnce - 1) await otherWork();
    entries.push(lexicalEntry(title, chunk.text));
  }
  return lexical.prepare(scope, entries);
}

/**
 * Makes the postings of an active version anew, from its chunks.
 * @returns false where the version is not the active one (any more), or its chunks are gone
 */
export async function restorePostings(
  deps: { readonly blobs: BlobStore; readonly lexical: LexicalIndex },
  scope: Scope,
  { documentId, activeVersion, title }: Pick<DocumentRow, 'documentId' | 'activeVersion' | 'title'>,
): Promise<boolean> {
  const set = await readChunkSet(deps.blobs, { tenant: scope.tenant, documentId, version: activeVersion });
  if (!set) return false;
  const prepared = await preparePostings(deps.lexical, scope, set, title);
  return deps.lexical.restore(scope, documentId, activeVersion, prepared);
}
