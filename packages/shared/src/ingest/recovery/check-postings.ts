import type { Scope } from '../../contracts/model/ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { LexicalIndex } from '../../ports/lexical-index.ts';
import { restorePostings } from '../index/postings.ts';

interface PostingsDeps {
  readonly blobs: BlobStore;
  readonly ledger: Pick<Ledger, 'documentChanges'>;
  readonly lexical: LexicalIndex;
}

/**
 * Gives a namespace's active versions the postings that they lack, from their chunks: after a rebuild of the ledger none
 * is left, and after a release that makes other terms all are of the kind before.
 * @param options.thorough compares each document, also where the numbers agree
 * @returns how many versions words could not find, and how many they can now
 */
export async function checkPostings(
  deps: PostingsDeps,
  scope: Scope,
  { thorough, signal }: { readonly thorough: boolean; readonly signal?: AbortSignal | undefined },
): Promise<{ missing: number; restored: number }> {
  if (!thorough && !(await deps.lexical.differs(scope))) return { missing: 0, restored: 0 };
  const { rows } = await deps.ledger.documentChanges(scope, undefined);
  const known = await deps.lexical.versions(scope);
  let missing = 0;
  let restored = 0;
  for (const row of rows) {
    if (row.activeVersion === 0 || known.get(row.documentId) === row.activeVersion) continue;
    signal?.throwIfAborted();
    missing += 1;
    if (await restorePostings(deps, scope, row)) restored += 1;
  }
  if (restored === missing) await deps.lexical.markCurrent(scope);
  return { missing, restored };
}
