import { z } from 'zod';
import { MemoryError } from '../../contracts/errors.ts';
import { type ChunkSet, ChunkSet as ChunkSetSchema } from '../../contracts/model/chunk.ts';
import { Extraction, OcrPage } from '../../contracts/model/extraction.ts';
import { Manifest } from '../../contracts/model/manifest.ts';
import type { BlobStore, NewBlob } from '../../ports/blob-store.ts';
import type { VectorsRef, VersionRef } from './blob-keys.ts';
import * as keys from './blob-keys.ts';

/** Where a document's bytes are, and what their sender called them. */
export const StoredOriginal = z.object({
  key: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  mediaType: z.string().optional(),
  filename: z.string().optional(),
});
export type StoredOriginal = z.infer<typeof StoredOriginal>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const encodeJson = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/** Reads and checks a JSON blob. @throws MemoryError `internal` where it is there but damaged. */
export async function readJson<Schema extends z.ZodType>(
  blobs: Pick<BlobStore, 'get'>,
  key: string,
  schema: Schema,
): Promise<z.infer<Schema> | undefined> {
  const bytes = await blobs.get(key);
  if (!bytes) return undefined;
  try {
    return schema.parse(JSON.parse(decoder.decode(bytes)));
  } catch (cause) {
    throw new MemoryError('internal', `The stored artifact ${key} cannot be read.`, { cause });
  }
}

/** @throws MemoryError `not_found` where the version was deleted. */
export async function readManifest(blobs: BlobStore, ref: VersionRef): Promise<Manifest> {
  const manifest = await readJson(blobs, keys.manifestKey(ref), Manifest);
  if (!manifest) throw new MemoryError('not_found', `Document ${ref.documentId} has no version ${ref.version}.`);
  return manifest;
}

export const readFetched = (blobs: BlobStore, ref: VersionRef) => readJson(blobs, keys.fetchedKey(ref), StoredOriginal);

/** The original of a version, whether it came with the request or was fetched. */
export async function readOriginal(
  blobs: BlobStore,
  ref: VersionRef,
  manifest: Manifest,
): Promise<StoredOriginal | undefined> {
  if (!manifest.original) return readFetched(blobs, ref);
  // An archive comes with its bytes too, and has no name.
  const { filename } = manifest.source as { readonly filename?: string };
  return {
    ...manifest.original,
    ...(manifest.declaredMediaType ? { mediaType: manifest.declaredMediaType } : {}),
    ...(filename ? { filename } : {}),
  };
}

export const readExtraction = (blobs: BlobStore, ref: VersionRef) =>
  readJson(blobs, keys.extractionKey(ref), Extraction);

export const readOcrPage = (blobs: BlobStore, ref: VersionRef, page: number) =>
  readJson(blobs, keys.ocrPageKey(ref, page), OcrPage);

export const readChunkSet = (blobs: Pick<BlobStore, 'get'>, ref: VersionRef): Promise<ChunkSet | undefined> =>
  readJson(blobs, keys.chunksKey(ref), ChunkSetSchema);

/** How many chunks share one file of vectors. A crash repeats at most two (embed-chunks.ts). */
export const vectorBatchSize = 32;

export function vectorsBlob(ref: VectorsRef, from: number, vectors: readonly Float32Array[]): NewBlob {
  const dimension = vectors[0]!.length;
  const all = new Float32Array(dimension * vectors.length);
  vectors.forEach((vector, row) => {
    all.set(vector, row * dimension);
  });
  return { key: keys.vectorsKey(ref, from), bytes: new Uint8Array(all.buffer) };
}

/** The vectors of the batch that begins at chunk `from`, or undefined where it was not embedded yet (or is damaged). */
export async function readVectors(
  blobs: BlobStore,
  ref: VectorsRef,
  from: number,
  expected: { count: number; dimension: number },
): Promise<Float32Array[] | undefined> {
  const bytes = await blobs.get(keys.vectorsKey(ref, from));
  if (!bytes || bytes.byteLength !== expected.count * expected.dimension * 4) return undefined;
  const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return Array.from({ length: expected.count }, (_, row) =>
    all.subarray(row * expected.dimension, (row + 1) * expected.dimension),
  );
}
