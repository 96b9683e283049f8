import { readChunkSet, readVectors, vectorBatchSize } from '../ingest/stored/artifacts.ts';
import { readEmbedded } from '../ingest/stored/embedded-chunks.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { ChunkAddress } from '../ports/lexical-index.ts';
import type { VectorHit } from '../ports/vector-index.ts';
import { cosine } from './cosine.ts';
import { undamaged } from './undamaged.ts';

/**
 * Chunks from the blob store, which is the truth, where the vector index is away. Slower, so for the few that are shown.
 * @param query its vector and the model that it is of; without one the similarity cannot be told, and is 0
 * @returns those that are there and can be read, in the order asked for
 */
export async function hydrate(
  blobs: BlobStore,
  tenant: string,
  addresses: readonly ChunkAddress[],
  query: Query | undefined,
): Promise<VectorHit[]> {
  const versions = Map.groupBy(addresses, ({ documentId, version }) => JSON.stringify([documentId, version]));
  const found = new Map<ChunkAddress, VectorHit>();
  for (const ofVersion of versions.values()) {
    const hits = await undamaged(hydrateVersion(blobs, tenant, ofVersion, query));
    for (const [address, hit] of hits ?? []) found.set(address, hit);
  }
  return addresses.flatMap((address) => found.get(address) ?? []);
}

interface Query {
  readonly vector: Float32Array;
  readonly model: string;
}

/** @param addresses at least one, all of one version */
async function hydrateVersion(
  blobs: BlobStore,
  tenant: string,
  addresses: readonly ChunkAddress[],
  query: Query | undefined,
): Promise<[ChunkAddress, VectorHit][]> {
  const [{ documentId, version }] = addresses as [ChunkAddress];
  const ref = { tenant, documentId, version };
  const embedded = query && (await readEmbedded(blobs, ref, query.model));
  const set = embedded?.set ?? (await readChunkSet(blobs, ref));
  if (!set) return [];
  const hits: [ChunkAddress, VectorHit][] = [];
  const batches = Map.groupBy(addresses, ({ index }) => index - (index % vectorBatchSize));
  for (const [from, ofBatch] of batches) {
    const count = Math.min(vectorBatchSize, set.chunks.length - from);
    const vectors = embedded && (await readVectors(blobs, embedded.ref, from, { count, dimension: set.dimension }));
    for (const address of ofBatch) {
      const chunk = set.chunks[address.index];
      if (!chunk) continue;
      const own = vectors?.[address.index - from];
      const { chunkId, index, text, page, headings, span, before } = chunk;
      const similarity = query && own ? cosine(query.vector, own) : 0;
      const where = { documentId, version, index, page, start: span.start, end: span.end };
      hits.push([address, { chunkId, ...where, text, headings, before, similarity }]);
    }
  }
  return hits;
}
