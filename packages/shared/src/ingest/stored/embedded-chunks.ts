import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ChunkSet } from '../../contracts/model/chunk.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { contentHashOf } from '../chunk/content-hash.ts';
import { encodeJson, readChunkSet, readJson, vectorBatchSize } from './artifacts.ts';
import {
  embeddedKey,
  isOwnVectors,
  modelFolder,
  modelFolderOf,
  type VectorsRef,
  type VersionRef,
  vectorsKey,
  versionPrefix,
} from './blob-keys.ts';

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

/**
 * Whether each batch of the chunks has its vectors. Asked of those of the model that the chunks were cut for: of another
 * model's `markEmbedded` tells.
 */
export async function hasVectors(blobs: Pick<BlobStore, 'has'>, { ref, set }: EmbeddedChunks): Promise<boolean> {
  for (let from = 0; from < set.chunks.length; from += vectorBatchSize)
    if (!(await blobs.has(vectorsKey(ref, from)))) return false;
  return true;
}

/**
 * Removes what a version has of a model's vectors, those of tokens too. A version that `present` has not embedded keeps
 * the vectors that it was made with: it has no others.
 */
export async function removeVectors(blobs: BlobStore, ref: VersionRef, model: string, present: string): Promise<void> {
  const set = await readChunkSet(blobs, ref);
  if (!set) return;
  const keys: string[] = [];
  for await (const key of blobs.list(versionPrefix(ref))) keys.push(key);
  const goes = new Set<string>();
  if (set.model !== model) goes.add(folderOf(set, model));
  else if (await readEmbedded(blobs, ref, present))
    for (const key of keys) if (isOwnVectors(ref, key)) await blobs.remove(key);
  // A retry that cut other chunks has left the folder of the ones before.
  for (const folder of new Set(keys.map((key) => modelFolderOf(ref, key))))
    if (folder && (await readJson(blobs, embeddedKey({ ...ref, folder }), EmbeddedRecord))?.model === model)
      goes.add(folder);
  for (const folder of goes) {
    // First: vectors that are only partly there must not count as whole.
    await blobs.remove(embeddedKey({ ...ref, folder }));
    for (const key of keys) if (modelFolderOf(ref, key) === folder) await blobs.remove(key);
  }
}

/** Chunks that a retry has cut anew have a folder of their own. */
function folderOf({ chunks }: ChunkSet, model: string): string {
  const hash = createHash('sha256');
  for (const { contentHash } of chunks) hash.update(contentHash);
  return modelFolder(model, hash.digest('hex'));
}
