import { MemoryError } from '../contracts/errors.ts';
import {
  type CollectionKey,
  type IndexedVersion,
  type RecordSelection,
  selectionOf,
  type VectorIndex,
  type VectorRecord,
} from '../ports/vector-index.ts';
import { cosine } from '../search/cosine.ts';

export interface InMemoryVectorIndex extends VectorIndex {
  /** While true every call throws `dependency_unavailable`. */
  unavailable: boolean;
  /** Loses everything, as a server whose folder was wiped. */
  wipe(): void;
}

/** Compares with every vector: exact, for some thousand records. */
export function createInMemoryVectorIndex(): InMemoryVectorIndex {
  const collections = new Map<string, Map<string, VectorRecord>>();
  const nameOf = (key: CollectionKey) => JSON.stringify([key.tenant, key.namespace, key.model, key.history ?? false]);
  const of = (key: CollectionKey): Map<string, VectorRecord> => {
    if (index.unavailable) throw new MemoryError('dependency_unavailable', 'The vector index does not answer.');
    const name = nameOf(key);
    const records = collections.get(name) ?? new Map<string, VectorRecord>();
    collections.set(name, records);
    return records;
  };
  const ofDocument = (key: CollectionKey, documentId: string, which: number | RecordSelection | undefined) => {
    const { version, upToVersion = Number.POSITIVE_INFINITY, fromIndex = 0 } = selectionOf(which);
    return [...of(key).values()].filter(
      (record) =>
        record.documentId === documentId &&
        (version === undefined || record.version === version) &&
        record.version <= upToVersion &&
        record.index >= fromIndex,
    );
  };
  const copyOf = ({ vector, headings, text, ...record }: VectorRecord): VectorRecord => ({
    ...record,
    vector: vector.slice(),
    headings: [...headings],
    text: text.toWellFormed(),
  });
  const index: InMemoryVectorIndex = {
    unavailable: false,
    wipe: () => collections.clear(),
    async addMissing(key, records) {
      const there = of(key);
      for (const record of records) {
        if (!there.has(record.chunkId)) there.set(record.chunkId, copyOf(record));
      }
    },
    async replace(key, records) {
      for (const record of records) of(key).set(record.chunkId, copyOf(record));
    },
    async present(key, chunkIds) {
      const there = of(key);
      return new Set(chunkIds.filter((id) => there.has(id)));
    },
    async query(key, { vector, limit, documentIds, chunkIds, excludeVersions, activeAt, known }) {
      const only = documentIds && new Set(documentIds);
      const not = new Set(excludeVersions);
      return [...of(key).values()]
        .filter((record) => only?.has(record.documentId) ?? true)
        .filter((record) => chunkIds?.includes(record.chunkId) ?? true)
        .filter((record) => !not.has(`${record.documentId}@${record.version}`))
        .filter(({ active }) => activeAt === undefined || (active && active.from <= activeAt && activeAt < active.to))
        .map(({ vector: own, active: _active, ...record }) => ({
          ...(known?.(record.chunkId) ?? record),
          ...(chunkIds ? { vector: own.slice() } : {}),
          similarity: vector ? cosine(vector, own) : 0,
        }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, Math.max(0, limit));
    },
    async vectorsOf(key, chunkIds) {
      const there = of(key);
      return new Map(
        chunkIds.flatMap((id) => {
          const record = there.get(id);
          return record ? [[id, record.vector.slice()] as const] : [];
        }),
      );
    },
    async count(key) {
      return of(key).size;
    },
    async countDocument(key, documentId, which) {
      return ofDocument(key, documentId, which).length;
    },
    async removeDocument(key, documentId, which) {
      const records = ofDocument(key, documentId, which);
      for (const record of records) of(key).delete(record.chunkId);
      return records.length;
    },
    async versions(key) {
      const found = new Map<string, IndexedVersion>();
      for (const { documentId, version } of of(key).values()) {
        const name = `${documentId}@${version}`;
        found.set(name, { documentId, version, chunks: (found.get(name)?.chunks ?? 0) + 1 });
      }
      return found;
    },
    async removeCollection(key) {
      of(key).clear();
      collections.delete(nameOf(key));
    },
    async check() {
      if (index.unavailable) throw new MemoryError('dependency_unavailable', 'The vector index does not answer.');
    },
  };
  return index;
}
