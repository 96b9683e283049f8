import { LRUCache } from 'lru-cache';
import type { DocumentRow } from '../ports/ledger.ts';
import type { CollectionKey, VectorHit, VectorIndex, VectorQuery } from '../ports/vector-index.ts';
import { cosine } from './cosine.ts';
import type { NamespaceTable } from './document-table.ts';

/**
 * Chunks that searches have read, kept in process: the index says in a third of the time which are the nearest than what
 * they hold as well. What a chunk holds cannot change while its version lives, except where a retry cut it anew, which its
 * document's row tells.
 */
export interface ChunkShelf {
  /** As the index's own query among active versions; those of others are not kept. */
  query(
    vectors: Pick<VectorIndex, 'query'>,
    table: NamespaceTable,
    key: CollectionKey,
    query: VectorQuery,
  ): Promise<VectorHit[]>;
}

/** Of the last answer so much was here: from then on it pays to ask for the others apart, which is one call more. */
const worthwhile = 0.5;
const maxCollections = 1000;

interface Entry {
  /** In one collection at a time: another has it only while a namespace gets another model. */
  readonly collection: string;
  readonly chunk: Omit<VectorHit, 'similarity' | 'vector'>;
  readonly vector: Float32Array | undefined;
  /** Of its document's row when it was read. A retry commits the same version anew, */
  readonly run: number | undefined;
  /** and a document that was deleted may come back with the number that it had. */
  readonly activeFrom: number | undefined;
}

/** @param options.maxBytes memory for what was read */
export function createChunkShelf({ maxBytes }: { readonly maxBytes: number }): ChunkShelf {
  const kept = new LRUCache<string, Entry>({ maxSize: maxBytes, sizeCalculation: bytesIn });
  const shares = new LRUCache<string, number>({ max: maxCollections });

  return {
    async query(vectors, table, key, query) {
      if (key.history) return vectors.query(key, query);
      const collection = JSON.stringify([key.tenant, key.namespace, key.model]);
      const taken = (chunkId: string): Entry | undefined => {
        const entry = kept.get(chunkId);
        if (entry?.collection !== collection) return undefined;
        const row = table.rows.get(entry.chunk.documentId);
        const isCurrent = row?.activeVersion === entry.chunk.version && isOf(row, entry);
        if (!isCurrent) kept.delete(chunkId);
        return isCurrent ? entry : undefined;
      };
      const { revision } = table;
      const keep = (hits: readonly VectorHit[]): void => {
        // Read before the rows moved: it cannot be told which commit it is of.
        if (table.revision !== revision) return;
        for (const { similarity: _, vector, ...chunk } of hits) {
          const row = table.rows.get(chunk.documentId);
          if (row?.activeVersion !== chunk.version) continue;
          const { run, activeFrom } = row;
          const known = vector ?? taken(chunk.chunkId)?.vector;
          kept.set(chunk.chunkId, { collection, chunk, vector: known, run, activeFrom });
        }
      };

      if (query.chunkIds) {
        const here: VectorHit[] = [];
        const missing: string[] = [];
        for (const chunkId of query.chunkIds) {
          const { chunk, vector } = taken(chunkId) ?? {};
          if (chunk && vector)
            here.push({ ...chunk, vector, similarity: query.vector ? cosine(query.vector, vector) : 0 });
          else missing.push(chunkId);
        }
        const read = missing.length > 0 ? await vectors.query(key, { ...query, chunkIds: missing }) : [];
        keep(read);
        return [...here, ...read].sort((a, b) => b.similarity - a.similarity).slice(0, query.limit);
      }

      const used = new Set<string>();
      const use = (chunkId: string) => {
        const entry = taken(chunkId);
        if (entry) used.add(chunkId);
        return entry?.chunk;
      };
      const isWorthwhile = (shares.get(collection) ?? 0) >= worthwhile;
      const hits = await vectors.query(key, isWorthwhile ? { ...query, known: use } : query);
      const read = hits.filter(({ chunkId }) => !used.has(chunkId));
      const there = used.size + read.filter(({ chunkId }) => kept.has(chunkId)).length;
      shares.set(collection, hits.length > 0 ? there / hits.length : 0);
      keep(read);
      return hits;
    },
  };
}

const isOf = (row: DocumentRow, { run, activeFrom }: Entry) => row.run === run && row.activeFrom === activeFrom;

/** With some 600 bytes for the key and the objects around text and numbers. */
function bytesIn({ chunk, vector }: Entry): number {
  return 600 + 2 * chunk.text.length + (vector?.byteLength ?? 0);
}
