import type { Scope } from '../../contracts/model/ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { LexicalIndex } from '../../ports/lexical-index.ts';
import { preparePostings } from '../index/postings.ts';
import { readChunkSet } from '../stored/artifacts.ts';

interface PostingsDeps {
  readonly blobs: BlobStore;
  readonly ledger: Pick<Ledger, 'documentChanges'>;
  readonly lexical: LexicalIndex;
}

/**
 * Gives a namespace's active versions the postings that they lack, from their chunks: after a rebuild of the ledger none
 * is left.
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
  for (const { documentId, activeVersion } of rows) {
    if (activeVersion === 0 || known.get(documentId) === activeVersion) continue;
    signal?.throwIfAborted();
    missing += 1;
    if (await restorePostings(deps, scope, documentId, activeVersion)) restored += 1;
  }
  return { missing, restored };
}

/** False where the version is not the active one (any more), or its chunks are gone. */
async function restorePostings(
  deps: PostingsDeps,
  scope: Scope,
  documentId: string,
  version: number,
): Promise<boolean> {
  const set = await readChunkSet(deps.blobs, { tenant: scope.tenant, documentId, version });
  if (!set) return false;
  const prepared = await preparePostings(deps.lexical, scope, set);
  return deps.lexical.restore(scope, documentId, version, prepared);
}
