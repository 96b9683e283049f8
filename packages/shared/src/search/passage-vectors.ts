import { readVectors, vectorBatchSize } from '../ingest/stored/artifacts.ts';
import { readEmbedded } from '../ingest/stored/embedded-chunks.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { CollectionKey, VectorHit, VectorIndex } from '../ports/vector-index.ts';
import { settled } from './settled.ts';
import { undamaged } from './undamaged.ts';

export interface PassageVectorDeps {
  readonly vectors: VectorIndex;
  readonly blobs: BlobStore;
}

type Passage = Pick<VectorHit, 'chunkId' | 'documentId' | 'version' | 'index'>;

/**
 * The vectors of passages, by `chunkId`: from the vector index in one call, and what it lacks (all, where it is away)
 * from the blob store. Those that neither has now are not among them.
 */
export async function passageVectors(
  deps: PassageVectorDeps,
  key: CollectionKey,
  passages: readonly Passage[],
): Promise<ReadonlyMap<string, Float32Array>> {
  if (passages.length === 0) return new Map();
  const indexed = await settled(
    deps.vectors.vectorsOf(
      key,
      passages.map(({ chunkId }) => chunkId),
    ),
  );
  const found = new Map(indexed.value);
  const rest = passages.filter(({ chunkId }) => !found.has(chunkId));
  const versions = Map.groupBy(rest, ({ documentId, version }) => JSON.stringify([documentId, version]));
  for (const ofVersion of versions.values()) {
    const stored = await settled(undamaged(storedVectors(deps.blobs, key, ofVersion)));
    for (const [chunkId, vector] of stored.value ?? []) found.set(chunkId, vector);
  }
  return found;
}

/** @param passages at least one, all of one version */
async function storedVectors(
  blobs: BlobStore,
  { tenant, model }: CollectionKey,
  passages: readonly Passage[],
): Promise<[string, Float32Array][]> {
  const [{ documentId, version }] = passages as [Passage];
  const embedded = await readEmbedded(blobs, { tenant, documentId, version }, model);
  if (!embedded) return [];
  const { set, ref } = embedded;
  const found: [string, Float32Array][] = [];
  for (const [from, ofBatch] of Map.groupBy(passages, ({ index }) => index - (index % vectorBatchSize))) {
    const count = Math.min(vectorBatchSize, set.chunks.length - from);
    const vectors = await readVectors(blobs, ref, from, { count, dimension: set.dimension });
    for (const { chunkId, index } of ofBatch) {
      const vector = vectors?.[index - from];
      if (vector) found.push([chunkId, vector]);
    }
  }
  return found;
}
