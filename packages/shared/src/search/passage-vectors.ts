import { readVectors, vectorBatchSize } from '../ingest/stored/artifacts.ts';
import { readEmbedded } from '../ingest/stored/embedded-chunks.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { CollectionKey, VectorHit, VectorIndex } from '../ports/vector-index.ts';
import { settled } from './settled.ts';

export interface PassageVectorDeps {
  readonly vectors: VectorIndex;
  readonly blobs: BlobStore;
}

/**
 * The vectors of passages, by `chunkId`: from the vector index in one call, and what it lacks (all, where it is away)
 * from the blob store.
 */
export async function passageVectors(
  deps: PassageVectorDeps,
  key: CollectionKey,
  passages: readonly Pick<VectorHit, 'chunkId' | 'documentId' | 'version' | 'index'>[],
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
    const [{ documentId, version }] = ofVersion as [VectorHit];
    const ref = { tenant: key.tenant, documentId, version };
    const embedded = await readEmbedded(deps.blobs, ref, key.model);
    if (!embedded) continue;
    const { set } = embedded;
    const batches = Map.groupBy(ofVersion, ({ index }) => index - (index % vectorBatchSize));
    for (const [from, ofBatch] of batches) {
      const count = Math.min(vectorBatchSize, set.chunks.length - from);
      const vectors = await readVectors(deps.blobs, embedded.ref, from, { count, dimension: set.dimension });
      for (const { chunkId, index } of ofBatch) {
        const vector = vectors?.[index - from];
        if (vector) found.set(chunkId, vector);
      }
    }
  }
  return found;
}
