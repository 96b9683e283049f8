import {
  type CollectionKey,
  type IndexedVersion,
  type RecordSelection,
  selectionOf,
  type VectorHit,
  type VectorIndex,
  type VectorQuery,
  type VectorRecord,
} from '@semantic-memory/shared/ports/vector-index';
import { cosine } from '@semantic-memory/shared/search/cosine';
import type { Collection } from 'chromadb';
import { type ChromaTiming, chromaTiming } from './circuit.ts';
import { type ChromaOptions, collectionName, createCollections } from './collections.ts';
import { documentVersion, isSelected, toChroma, toHit, versionOf, whereDocument, whereOf } from './records.ts';
import { createSerializer } from './serializer.ts';

/** Records a write. Larger ones are not faster, and hold up the queries that come meanwhile. */
const maxBatchSize = 250;
/** Numbers of one write: so many are packed within a few milliseconds, on our event loop. */
const maxBatchNumbers = 96_000;

const batchSizeFor = (dimension: number) =>
  Math.min(maxBatchSize, Math.max(64, Math.floor(maxBatchNumbers / Math.max(1, dimension))));

/** Ids a look-up or a delete; SQLite's limit on variables gives 5,461. */
const idBatchSize = 2_000;

/** How often a query is asked while records are removed under it. */
const maxQueries = 4;

/**
 * The vector index in Chroma: a collection for each tenant, namespace and model. Chroma is a copy that can be rebuilt,
 * so nothing is kept here that is nowhere else.
 */
export function createChromaIndex(options: ChromaOptions, timing: ChromaTiming = chromaTiming): VectorIndex {
  const collections = createCollections(options, timing);
  const serialized = createSerializer();

  async function present(key: CollectionKey, chunkIds: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for (const ids of batches([...new Set(chunkIds)], idBatchSize)) {
      const there = await collections.reading(key, timing.readMs, [], (collection) => idsOf(collection, { ids }));
      for (const id of there) found.add(id);
    }
    return found;
  }

  const idsOfDocument = (key: CollectionKey, documentId: string, which: number | RecordSelection | undefined) =>
    collections.reading(key, timing.readMs, [], async (collection): Promise<string[]> => {
      const selection = selectionOf(which);
      const where = whereDocument(documentId, selection);
      if (selection.upToVersion === undefined && selection.fromIndex === undefined) return idsOf(collection, { where });
      const { ids, metadatas } = await collection.get({ where, include: ['metadatas'] });
      return ids.filter((_, at) => isSelected(metadatas[at], selection));
    });

  return {
    present,

    // Writes at the same time slow each other down, and adding what is there is several times slower than a look.
    addMissing: (key, records) =>
      serialized(collectionName(key), async () => {
        const there = await present(
          key,
          records.map((record) => record.chunkId),
        );
        const missing = new Map<string, VectorRecord>();
        for (const record of records) if (!there.has(record.chunkId)) missing.set(record.chunkId, record);
        const batchSize = batchSizeFor(records[0]?.vector.length ?? 1);
        for (const batch of batches([...missing.values()], batchSize)) {
          // Chroma ignores ids that another process has added meanwhile.
          await collections.writing(key, timing.writeMs, (collection, packs) => collection.add(toChroma(batch, packs)));
        }
      }),

    replace: (key, records) =>
      serialized(collectionName(key), async () => {
        for (const batch of batches(records, batchSizeFor(records[0]?.vector.length ?? 1))) {
          await collections.writing(key, timing.writeMs, (collection, packs) =>
            collection.upsert(toChroma(batch, packs)),
          );
        }
      }),

    async query(key, query) {
      if (query.limit <= 0 || query.documentIds?.length === 0 || query.chunkIds?.length === 0) return [];
      for (let attempt = 1; ; attempt += 1) {
        const found = await collections.reading(key, timing.queryMs, [], (collection) =>
          query.chunkIds ? lookUp(collection, query.chunkIds, query) : nearest(collection, query),
        );
        const hits = found.filter((hit) => hit !== undefined);
        // What vanished under the query took the place of others.
        if (hits.length === found.length || attempt === maxQueries) return hits;
      }
    },

    vectorsOf: (key, chunkIds) =>
      collections.reading(key, timing.queryMs, new Map(), async (collection) => {
        if (chunkIds.length === 0) return new Map();
        const { ids, embeddings } = await collection.get({ ids: [...chunkIds], include: ['embeddings'] });
        return new Map(ids.map((id, at) => [id, Float32Array.from(embeddings[at] ?? [])]));
      }),

    count: (key) => collections.reading(key, timing.readMs, 0, (collection) => collection.count()),

    async countDocument(key, documentId, which) {
      return (await idsOfDocument(key, documentId, which)).length;
    },

    removeDocument: (key, documentId, which) =>
      serialized(collectionName(key), async () => {
        // By ids, since the number that Chroma's own delete returns counts what never was.
        const ids = await idsOfDocument(key, documentId, which);
        for (const batch of batches(ids, idBatchSize)) {
          await collections.reading(key, timing.writeMs, undefined, async (collection) => {
            await collection.delete({ ids: batch });
          });
        }
        return ids.length;
      }),

    async versions(key) {
      const found = new Map<string, IndexedVersion>();
      for (let offset = 0; ; offset += idBatchSize) {
        const page = await collections.reading(key, timing.readMs, [], async (collection) => {
          return (await collection.get({ limit: idBatchSize, offset, include: ['metadatas'] })).metadatas;
        });
        for (const metadata of page) {
          const { documentId, version } = versionOf(metadata);
          const name = documentVersion(documentId, version);
          found.set(name, { documentId, version, chunks: (found.get(name)?.chunks ?? 0) + 1 });
        }
        if (page.length < idBatchSize) return found;
      }
    },

    removeCollection: (key) => serialized(collectionName(key), () => collections.remove(key, timing.writeMs)),

    check: () => collections.heartbeat(),
    outage: () => collections.outage(),
  };
}

type Found = readonly (VectorHit | undefined)[];

async function nearest(collection: Collection, query: VectorQuery): Promise<Found> {
  const where = whereOf(query);
  const { known } = query;
  const result = await collection.query({
    queryEmbeddings: [Array.from(query.vector!)],
    nResults: query.limit,
    include: known ? ['distances'] : ['documents', 'metadatas', 'distances'],
    ...(where ? { where } : {}),
  });
  // One query, so one list of each.
  if (!known) return result.rows()[0]!.map(toHit);
  const [ids, distances] = [result.ids[0]!, result.distances[0]!];
  const held = ids.map((id) => known(id));
  const missing = ids.filter((_, at) => !held[at]);
  const read = await readRows(collection, missing);
  return ids.map((id, at) => {
    const distance = distances[at];
    const chunk = held[at];
    if (!chunk) return toHit({ ...read.get(id), id, distance });
    return typeof distance === 'number' ? { ...chunk, similarity: 1 - distance } : undefined;
  });
}

/** What records hold beside their vectors, by id; those that are there. */
async function readRows(collection: Collection, ids: string[]) {
  if (ids.length === 0) return new Map();
  const found = await collection.get({ ids, include: ['documents', 'metadatas'] });
  return new Map(
    found.ids.map((id, at) => [id, { document: found.documents[at], metadata: found.metadatas[at] }] as const),
  );
}

/**
 * As `nearest`, among some whose ids are known. They are read and compared here: Chroma's graph is walked until as many
 * neighbours are found as it looks at (200), and where fewer are allowed, through all of it.
 */
async function lookUp(collection: Collection, chunkIds: readonly string[], query: VectorQuery): Promise<Found> {
  const where = whereOf(query);
  const { ids, documents, metadatas, embeddings } = await collection.get({
    ids: [...chunkIds],
    include: ['documents', 'metadatas', 'embeddings'],
    ...(where ? { where } : {}),
  });
  const found = ids.map((id, at) => {
    const numbers = embeddings[at];
    const vector = numbers && Float32Array.from(numbers);
    const distance = vector && (query.vector ? 1 - cosine(query.vector, vector) : 1);
    const hit = toHit({ id, document: documents[at], metadata: metadatas[at], distance });
    return hit && { ...hit, vector };
  });
  // What is undefined is put at the end without being compared.
  return found.sort((a, b) => b!.similarity - a!.similarity).slice(0, query.limit);
}

async function idsOf(collection: Collection, filter: Parameters<Collection['get']>[0]): Promise<string[]> {
  return (await collection.get({ ...filter, include: [] })).ids;
}

function* batches<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
