import type { ChunkSet } from '../../contracts/model/chunk.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { tokensKey, type VectorsRef } from '../stored/blob-keys.ts';
import { checkOf, checkOfChunks, fileBytes, readTable, type TokenTable, tableBytes } from '../stored/token-file.ts';
import { badArchive } from './archive-layout.ts';

/** Some 900,000 tokens. An import holds the file as a whole; a longer document goes without, and is ranked without. */
export const maxTokenFileBytes = 128 * 1024 * 1024;

/** The table of a file of just these chunks. */
function tableFor(bytes: Uint8Array, { model, chunks }: ChunkSet): TokenTable | undefined {
  const table = readTable(bytes);
  if (!table || 'needsBytes' in table) return undefined;
  const isOfThese =
    table.modelCheck === checkOf(model) &&
    table.chunksCheck === checkOfChunks(chunks) &&
    table.chunks === chunks.length &&
    table.before.every((count, chunk) => chunk === 0 || count >= table.before[chunk - 1]!);
  return isOfThese ? table : undefined;
}

/** The token vectors of a version where there are any of its chunks, and not too many. */
export async function storedTokens(blobs: BlobStore, ref: VectorsRef, set: ChunkSet) {
  const head = await blobs.getRange(tokensKey(ref), 0, tableBytes(set.chunks.length));
  const table = head && tableFor(head, set);
  if (!table || fileBytes(table) > maxTokenFileBytes) return undefined;
  return blobs.getStream(tokensKey(ref));
}

/** @throws MemoryError `unprocessable` where they are not of these chunks, or not whole */
export function checkTokens(bytes: Uint8Array, set: ChunkSet, where: string): void {
  const table = tableFor(bytes, set);
  if (!table || fileBytes(table) !== bytes.byteLength) throw badArchive(where, 'is not of the chunks beside it');
}
