import { readChunkSet, readVectors, vectorBatchSize } from '../ingest/stored/artifacts.ts';
import { readEmbedded } from '../ingest/stored/embedded-chunks.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { ChunkAddress } from '../ports/lexical-index.ts';
import type { VectorHit } from '../ports/vector-index.ts';
import { cosine } from './cosine.ts';

/**
 * Chunks from the blob store, which is the truth, where the vector index is away. Slower, so for the few that are shown.
 * @param query its vector and the model that it is of; without one the similarity cannot be told, and is 0
 * @returns those that are there, in the order asked for
 */
export async function hydrate(
  blobs: BlobStore,
  tenant: string,
  addresses: readonly ChunkAddress[],
  query: { readonly vector: Float32Array; readonly model: string } | undefined,
): Promise<VectorHit[]> {
  const versions = Map.groupBy(addresses, ({ documentId, version }) => JSON.stringify([documentId, version]));
  const found = new Map<ChunkAddress, VectorHit>();
  for (const ofVersion of versions.values()) {
    const [{ documentId, version }] = ofVersion as [ChunkAddress];
    const ref = { tenant, documentId, version };
    const embedded = query && (await readEmbedded(blobs, ref, query.model));
    const set = embedded?.set ?? (await readChunkSet(blobs, ref));
    if (!set) continue;
    const batches = new Map<number, Promise<Float32Array[] | undefined>>();
    for (const address of ofVersion) {
      const chunk = set.chunks[address.index];
      if (!chunk) continue;
      const from = address.index - (address.index % vectorBatchSize);
      const count = Math.min(vectorBatchSize, set.chunks.length - from);
      const batch =
        batches.get(from) ??
        (embedded ? readVectors(blobs, embedded.ref, from, { count, dimension: set.dimension }) : noVectors);
      batches.set(from, batch);
      const own = (await batch)?.[address.index - from];
      const { chunkId, index, text, page, headings, span, before } = chunk;
      found.set(address, {
        ...{ chunkId, documentId, version, index, text, page, headings, before },
        ...{ start: span.start, end: span.end, similarity: query && own ? cosine(query.vector, own) : 0 },
      });
    }
  }
  return addresses.flatMap((address) => found.get(address) ?? []);
}

const noVectors = Promise.resolve(undefined);
