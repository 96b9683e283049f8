import { MemoryError } from '../contracts/errors.ts';
import type { Chunk, ChunkSet } from '../contracts/model/chunk.ts';
import type { Metadata } from '../contracts/model/ids.ts';
import type { JobState } from '../contracts/model/job.ts';
import { SearchRequest } from '../contracts/model/search.ts';
import { chunkDocument } from '../ingest/chunk/chunk-document.ts';
import { chunkIdOf } from '../ingest/chunk/chunk-id.ts';
import { preparePostings } from '../ingest/index/postings.ts';
import { vectorRecord } from '../ingest/index/vector-record.ts';
import { encodeJson, vectorBatchSize, vectorsBlob } from '../ingest/stored/artifacts.ts';
import { chunksKey, type VersionRef } from '../ingest/stored/blob-keys.ts';
import type { Embedder } from '../ports/embedder.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { CollectionKey, VectorIndex, VectorQuery } from '../ports/vector-index.ts';
import { createDocumentTable } from '../search/document-table.ts';
import type { SearchDeps } from '../search/retrieve.ts';
import { termsOf } from '../search/terms.ts';
import { fakeTokenizer } from './fake-embedder.ts';
import { createInMemoryBlobStore } from './in-memory-blob-store.ts';
import { silentLogger } from './in-memory-flow.ts';
import { createInMemoryLedger } from './in-memory-ledger.ts';
import { createInMemoryLexicalIndex } from './in-memory-lexical-index.ts';
import { createInMemoryVectorIndex } from './in-memory-vector-index.ts';

/** A memory for tests of search and answers: real table, ledger in memory, vectors that a person can foresee. */

const dimension = 512;

function bucketOf(key: string): number {
  let hash = 2166136261;
  for (const character of key) hash = Math.imul(hash ^ (character.codePointAt(0) as number), 16777619) >>> 0;
  return hash % dimension;
}

/** Bags of terms: the cosine of two texts is the share of terms that they have in common. */
export function bagOfTerms(text: string): Float32Array {
  const vector = new Float32Array(dimension);
  for (const { key } of termsOf(text)) vector[bucketOf(key)] = 1;
  const norm = Math.hypot(...vector) || 1;
  return vector.map((value) => value / norm);
}

export function createTermEmbedder(model: string): Embedder & { queries: string[]; away: boolean } {
  const embedder = {
    model,
    dimension,
    maxTokens: 512,
    queries: [] as string[],
    away: false,
    ready: async () => {},
    embedPassages: async (texts: readonly string[]) => texts.map(bagOfTerms),
    embedQuery: async (text: string) => {
      if (embedder.away) throw new MemoryError('dependency_unavailable', 'The embedding model is away.');
      embedder.queries.push(text);
      return bagOfTerms(text);
    },
    close: async () => {},
  };
  return embedder;
}

/** An exact index that records its queries; `onQuery` lets a test change the world while one runs. */
export interface WatchedIndex extends VectorIndex {
  readonly queries: VectorQuery[];
  onQuery: (query: VectorQuery) => Promise<void>;
}

export function createWatchedIndex(): WatchedIndex {
  const inner = createInMemoryVectorIndex();
  const index = {
    ...inner,
    queries: [] as VectorQuery[],
    onQuery: async (_: VectorQuery) => {},
    async query(key: CollectionKey, query: VectorQuery) {
      index.queries.push(query);
      await index.onQuery(query);
      return inner.query(key, query);
    },
  };
  return index;
}

export function createRecordingMetrics(): Metrics & { recorded: string[] } {
  const recorded: string[] = [];
  const record = { recorded } as Record<string, unknown>;
  return new Proxy(record, {
    get: (target, name: string) =>
      target[name] ?? ((...values: unknown[]) => recorded.push([name, ...values].map(String).join(' '))),
  }) as unknown as Metrics & { recorded: string[] };
}

export interface StoredDocument {
  documentId: string;
  text: string;
  tenant?: string;
  namespace?: string;
  title?: string;
  metadata?: Metadata;
  createdAt?: string;
  /** Cut as the service does, with overlap, instead of a chunk for each paragraph. */
  cutBySize?: boolean;
  /** Which page all of it is on. */
  page?: number;
  /** Leaves the version written but not active. */
  inFlight?: boolean;
}

/** A chunk for each paragraph. */
function paragraphsOf({ tenant, documentId, version }: VersionRef, text: string, page?: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (const match of text.matchAll(/[^\n]+(?:\n[^\n]+)*/g)) {
    const [own] = match;
    const index = chunks.length;
    const span = { start: match.index, end: match.index + own.length };
    const before = text.slice(chunks.at(-1)?.span.end ?? span.start, span.start);
    const chunkId = chunkIdOf(tenant, documentId, version, index);
    const embedded = { tokens: 1, embedText: own, contentHash: own };
    const place = { headings: [], span, ...(before ? { before } : {}), ...(page === undefined ? {} : { page }) };
    chunks.push({ chunkId, index, text: own, ...place, ...embedded });
  }
  return chunks;
}

export function createMemory() {
  const lexical = createInMemoryLexicalIndex();
  const ledger = createInMemoryLedger(lexical);
  const blobs = createInMemoryBlobStore();
  const vectors = createWatchedIndex();
  const metrics = createRecordingMetrics();
  const embedder = createTermEmbedder('terms-1');
  const clock = { time: Date.parse('2026-06-01T00:00:00Z'), now: () => clock.time };
  const deps: SearchDeps = {
    table: createDocumentTable({ ledger }),
    vectors,
    lexical,
    blobs,
    embedderFor: (model) => (model === embedder.model ? embedder : undefined),
    metrics,
    clock,
    logger: silentLogger,
    versionRetentionMs: 30 * 24 * 3_600_000,
  };
  /** By document: the text of its latest version, which every span points into. */
  const texts = new Map<string, string>();
  let count = 0;

  /** Stores a version; each paragraph becomes a chunk. */
  async function store(document: StoredDocument): Promise<number> {
    const { documentId, text, tenant = 'acme', namespace = 'default', title = documentId, metadata = {} } = document;
    const createdAt = document.createdAt ?? '2026-05-01T00:00:00.000Z';
    const scope = { tenant, namespace };
    const { version } = await ledger.reserveVersion(scope, documentId, embedder.model);
    count += 1;
    const jobId = `job_${String(count).padStart(26, '0')}`;
    const facts = { bytes: text.length, sha256: '0'.repeat(64), mediaType: 'text/plain' };
    const state: JobState = 'running';
    const job = {
      ...{ id: jobId, ...scope, documentId, version, state, progress: 0, stages: [], warnings: [], run: 1 },
      ...{
        stage: 'index' as const,
        priority: 'normal' as const,
        sourceType: 'upload',
        createdAt,
        updatedAt: createdAt,
      },
    };
    const described = { ...facts, version, state: 'pending' as const, jobId, chunks: 0, createdAt };
    await ledger.createJob(job, described, { title, metadata });
    const ref = { tenant, documentId, version };
    const chunks = document.cutBySize
      ? chunkDocument({ ...ref, text: { text, pages: [] }, title, model: embedder.model, tokenizer: fakeTokenizer })
      : paragraphsOf(ref, text, document.page);
    const records = chunks.map((chunk) => vectorRecord(ref, chunk, bagOfTerms(chunk.text)));
    await vectors.addMissing({ ...scope, model: embedder.model }, records);
    const set: ChunkSet = { schemaVersion: 1, title, model: embedder.model, dimension: embedder.dimension, chunks };
    await blobs.put(chunksKey(ref), encodeJson(set));
    for (let from = 0; from < records.length; from += vectorBatchSize) {
      const batch = records.slice(from, from + vectorBatchSize);
      await blobs.putAll([
        vectorsBlob(
          ref,
          from,
          batch.map(({ vector }) => vector),
        ),
      ]);
    }
    const postings = await preparePostings(lexical, scope, set, title);
    texts.set(`${tenant}/${documentId}@${version}`, text);
    if (!document.inFlight)
      await ledger.activateVersion(scope, documentId, version, createdAt, { chunks: records.length }, postings);
    return version;
  }

  return { deps, ledger, lexical, vectors, blobs, metrics, embedder, clock, texts, store };
}

export const searchFor = (request: Partial<SearchRequest> & { query: string }) => SearchRequest.parse(request);
