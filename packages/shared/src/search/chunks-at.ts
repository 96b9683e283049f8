import { chunkIdOf } from '../ingest/chunk/chunk-id.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { ChunkAddress } from '../ports/lexical-index.ts';
import type { CollectionKey, VectorHit, VectorIndex, VectorQuery } from '../ports/vector-index.ts';
import type { ChunkShelf } from './chunk-shelf.ts';
import type { NamespaceTable } from './document-table.ts';
import { placeOf } from './fuse.ts';
import { hydrate } from './hydrate.ts';
import { settled } from './settled.ts';

/** The most ids that the vector index takes in one query. */
const maxIds = 1000;

/**
 * Chunks whose place is known, with texts and similarities: from the vector index in one call, and what that lacks (or
 * all of it, where it is away) from the blob store.
 * @param from.vector of the query; without one no similarity is known, and the index cannot be asked
 * @param from.table of their documents, without which nothing is taken from the shelf
 * @param from.fromIndex false where it is known to be away, or not to have them
 * @returns those that are there, in no order
 */
export async function chunksAt(
  deps: { readonly vectors: VectorIndex; readonly blobs: BlobStore; readonly shelf?: ChunkShelf | undefined },
  key: CollectionKey,
  addresses: readonly ChunkAddress[],
  from: {
    readonly vector: Float32Array | undefined;
    readonly fromIndex: boolean;
    readonly table?: NamespaceTable | undefined;
  },
): Promise<VectorHit[]> {
  if (addresses.length === 0) return [];
  const { vector, fromIndex, table } = from;
  const hits = vector && fromIndex ? await chunksOfIndex(deps, key, addresses, { vector, table }) : [];
  const there = new Set(hits.map(placeOf));
  // Where the index has lost some they are still in the blob store.
  const rest = addresses.filter((address) => !there.has(placeOf(address)));
  return [...hits, ...(await hydrate(deps.blobs, key.tenant, rest, vector && { vector, model: key.model }))];
}

/**
 * As `chunksAt`, from the vector index alone, and with each chunk's own vector. None where it is away.
 * @param from.vector of the query; where it is not known yet all similarities are 0
 */
export async function chunksOfIndex(
  deps: { readonly vectors: VectorIndex; readonly shelf?: ChunkShelf | undefined },
  key: CollectionKey,
  addresses: readonly ChunkAddress[],
  { vector, table }: { readonly vector?: Float32Array; readonly table?: NamespaceTable | undefined },
): Promise<VectorHit[]> {
  const { vectors, shelf } = deps;
  const ask = (query: VectorQuery) =>
    shelf && table ? shelf.query(vectors, table, key, query) : vectors.query(key, query);
  const ids = addresses.map(({ documentId, version, index }) => chunkIdOf(key.tenant, documentId, version, index));
  const answers = await Promise.all(
    pagesOf(ids).map((chunkIds) => settled(ask({ vector, limit: chunkIds.length, chunkIds }))),
  );
  return answers.flatMap(({ value }) => value ?? []);
}

const pagesOf = (ids: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(ids.length / maxIds) }, (_, at) => ids.slice(at * maxIds, (at + 1) * maxIds));
