import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ChunkSet } from '../../contracts/model/chunk.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { contentHashOf } from '../chunk/content-hash.ts';
import { encodeJson, readChunkSet, readJson } from './artifacts.ts';
import { embeddedKey, modelFolder, type VectorsRef, type VersionRef } from './blob-keys.ts';

/** A version's chunks as one model sees them, and where its vectors of them lie. */
export interface EmbeddedChunks {
  readonly ref: VectorsRef;
  readonly set: ChunkSet;
}

/** That a version's chunks all have vectors of another model than the one that they were cut for. */
const EmbeddedRecord = z.object({ schemaVersion: z.literal(1), model: z.string(), dimension: z.int().min(1) });

/** Where the vectors of a model lie, whether they are there or not. @param set the chunks as they are stored */
export function embeddedBy(
  { tenant, documentId, version }: VersionRef,
  set: ChunkSet,
  { model, dimension }: { readonly model: string; readonly dimension: number },
): EmbeddedChunks {
  const ref = { tenant, documentId, version };
  if (set.model === model) return { ref, set };
  const folder = folderOf(set, model);
  const chunks = set.chunks.map((chunk) => ({ ...chunk, contentHash: contentHashOf(model, chunk.embedText) }));
  return { ref: { ...ref, folder }, set: { ...set, model, dimension, chunks } };
}

/**
 * A version's chunks as embedded by a model.
 * @returns undefined where the version has no chunks (yet), or that model has not embedded all of them
 */
export async function readEmbedded(
  blobs: Pick<BlobStore, 'get'>,
  ref: VersionRef,
  model: string,
): Promise<EmbeddedChunks | undefined> {
  const set = await readChunkSet(blobs, ref);
  if (!set) return undefined;
  if (set.model === model) return embeddedBy(ref, set, set);
  const record = await readJson(blobs, embeddedKey({ ...ref, folder: folderOf(set, model) }), EmbeddedRecord);
  return record && embeddedBy(ref, set, record);
}

/** Says that all vectors are there, once they are. Those of the model that the chunks were cut for need no such word. */
export async function markEmbedded(blobs: BlobStore, { ref, set }: EmbeddedChunks): Promise<void> {
  if (ref.folder === undefined) return;
  const { model, dimension } = set;
  await blobs.put(embeddedKey(ref), encodeJson({ schemaVersion: 1, model, dimension }));
}

/** Chunks that a retry has cut anew have a folder of their own. */
function folderOf({ chunks }: ChunkSet, model: string): string {
  const hash = createHash('sha256');
  for (const { contentHash } of chunks) hash.update(contentHash);
  return modelFolder(model, hash.digest('hex'));
}
