import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createChromaIndex } from '@semantic-memory/adapters/chroma/vector-index';
import { localModel } from '@semantic-memory/adapters/embedders/embedders';
import { createFilesystemBlobStore } from '@semantic-memory/adapters/filesystem/blob-store';
import { createRedisLedger } from '@semantic-memory/adapters/redis/ledger';
import { createRedisLexicalIndex } from '@semantic-memory/adapters/redis/lexical-index';
import { descendants, type Service } from '@semantic-memory/e2e/service';
import type { Chunk, ChunkSet } from '@semantic-memory/shared/contracts/model/chunk';
import { chunkIdOf } from '@semantic-memory/shared/ingest/chunk/chunk-id';
import { preparePostings } from '@semantic-memory/shared/ingest/index/postings';
import { vectorRecord } from '@semantic-memory/shared/ingest/index/vector-record';
import { newJobId } from '@semantic-memory/shared/ingest/new-id';
import { encodeJson, vectorBatchSize, vectorsBlob } from '@semantic-memory/shared/ingest/stored/artifacts';
import { chunksKey, tokensKey } from '@semantic-memory/shared/ingest/stored/blob-keys';
import { checkOf, checkOfChunks, directionOf, writeTokenFile } from '@semantic-memory/shared/ingest/stored/token-file';
import type { BlobStore } from '@semantic-memory/shared/ports/blob-store';
import type { Ledger } from '@semantic-memory/shared/ports/ledger';
import type { LexicalIndex } from '@semantic-memory/shared/ports/lexical-index';
import type { VectorIndex } from '@semantic-memory/shared/ports/vector-index';
import { createRandom } from './seeded-text.ts';
import { zipfText } from './zipf-text.ts';

/** Of the demo token. */
const tenant = 'demo';
const chunksPerDocument = 100;
const wordsPerChunk = 130;
const tokensPerChunk = 180;
const tokenWidth = 128;
const dimension = 384;
/** What texts are about: vectors of one topic lie together, as those of real texts do. */
const topics = 500;
/** How far a vector lies from its topic's, as a share of it. */
const spread = 0.8;

/** The stores of a running service, as its own processes use them. */
export interface Stores {
  readonly redisUrl: string;
  readonly chromaPort: number;
  readonly prefix: string;
  readonly blobs: BlobStore;
  readonly ledger: Ledger;
  readonly lexical: LexicalIndex;
  readonly vectors: VectorIndex;
  close(): Promise<void>;
}

export async function openStores(service: Service): Promise<Stores> {
  const api = (await descendants(service.pid)).find(({ command }) => command.includes('apps/api/'));
  const environment = await readFile(`/proc/${api?.pid}/environ`, 'utf8');
  const environmentOf = (name: string) => new RegExp(`(?:^|\\0)${name}=([^\\0]*)`).exec(environment)?.[1];
  const redisUrl = environmentOf('REDIS_URL') ?? '';
  const chromaPort = Number(environmentOf('CHROMA_PORT'));
  const prefix = environmentOf('QUEUE_PREFIX') ?? 'semantic-memory';
  const ledger = createRedisLedger({ url: redisUrl, prefix });
  const lexical = createRedisLexicalIndex({ url: redisUrl, prefix });
  return {
    ...{ redisUrl, chromaPort, prefix, ledger, lexical },
    blobs: createFilesystemBlobStore(join(service.dataDir, 'blobs')),
    vectors: createChromaIndex({ host: '127.0.0.1', port: chromaPort, ssl: false }),
    close: async () => {
      await Promise.all([ledger.close(), lexical.close()]);
    },
  };
}

/**
 * Fills a namespace with chunks of generated text, through the code that the steps use but without a model: vectors lie
 * around topics, token vectors are noise. What a search costs does not depend on what they say.
 * @returns seconds that each store took
 */
export async function fillMemory(stores: Stores, namespace: string, chunks: number) {
  const random = createRandom(chunks);
  const noise = Int8Array.from({ length: 1 << 20 }, () => Math.floor(random() * 255) - 127);
  const centres = Array.from({ length: topics }, () => randomVector(random));
  const seconds = { texts: 0, blobs: 0, vectors: 0, postings: 0 };
  for (let number = 0; number * chunksPerDocument < chunks; number += 1) {
    const lap = createLap(seconds);
    const documentId = `generated-${number}`;
    const scope = { tenant, namespace };
    const { version } = await stores.ledger.reserveVersion(scope, documentId, localModel);
    const ref = { tenant, documentId, version };
    const title = zipfText(random, 4);
    const cut = cutText(
      ref,
      Array.from({ length: chunksPerDocument }, () => zipfText(random, wordsPerChunk)),
    );
    const vectors = cut.map(() => near(centres[Math.floor(random() * topics)] as Float32Array, random));
    lap('texts');
    const at = new Date().toISOString();
    const job = {
      ...{ id: newJobId(), ...scope, documentId, version, run: 0, state: 'running' as const, stage: 'index' as const },
      ...{ progress: 0, stages: [], warnings: [], priority: 'normal' as const, sourceType: 'text' },
      ...{ createdAt: at, updatedAt: at },
    };
    const facts = { mediaType: 'text/plain', bytes: 1, sha256: '0'.repeat(64), chunks: cut.length };
    const described = { ...facts, version, state: 'pending' as const, jobId: job.id, createdAt: at };
    await stores.ledger.createJob(job, described, { title, metadata: { number } });
    const set: ChunkSet = { schemaVersion: 1, title, model: localModel, dimension, chunks: cut };
    await writeArtifacts(stores.blobs, ref, set, vectors, noise, random);
    lap('blobs');
    const records = cut.map((chunk, index) => vectorRecord(ref, chunk, vectors[index]!));
    await stores.vectors.addMissing({ ...scope, model: localModel }, records);
    lap('vectors');
    const postings = await preparePostings(stores.lexical, scope, set, title);
    await stores.ledger.activateVersion(scope, documentId, version, at, { chunks: cut.length }, postings);
    await stores.ledger.updateJob(tenant, job.id, (running) => ({ ...running, state: 'succeeded', progress: 1 }));
    lap('postings');
  }
  return seconds;
}

type Seconds = Record<'texts' | 'blobs' | 'vectors' | 'postings', number>;

/** Adds what has passed since the last call to a part. */
function createLap(seconds: Seconds): (part: keyof Seconds) => void {
  let since = performance.now();
  return (part) => {
    const now = performance.now();
    seconds[part] += (now - since) / 1000;
    since = now;
  };
}

interface Ref {
  readonly tenant: string;
  readonly documentId: string;
  readonly version: number;
}

function cutText(ref: Ref, texts: readonly string[]): Chunk[] {
  let start = 0;
  return texts.map((text, index) => {
    const span = { start, end: start + text.length };
    start = span.end + 1;
    const chunkId = chunkIdOf(ref.tenant, ref.documentId, ref.version, index);
    const joint = index > 0 ? { before: ' ' } : {};
    return {
      chunkId,
      index,
      text,
      headings: [],
      span,
      ...joint,
      tokens: tokensPerChunk,
      embedText: text,
      contentHash: chunkId,
    };
  });
}

async function writeArtifacts(
  blobs: BlobStore,
  ref: Ref,
  set: ChunkSet,
  vectors: readonly Float32Array[],
  noise: Int8Array,
  random: () => number,
): Promise<void> {
  await blobs.put(chunksKey(ref), encodeJson(set));
  for (let from = 0; from < vectors.length; from += vectorBatchSize)
    await blobs.putAll([vectorsBlob(ref, from, vectors.slice(from, from + vectorBatchSize))]);
  const size = tokensPerChunk * tokenWidth;
  const facts = {
    modelCheck: checkOf(set.model),
    chunksCheck: checkOfChunks(set.chunks),
    chunks: set.chunks.length,
    width: tokenWidth,
    directionWidth: dimension,
  };
  const tokens = set.chunks.map(({ text, span }, index) => {
    const from = Math.floor(random() * (noise.length - size));
    return {
      ...{ textStart: span.start, textCheck: checkOf(text), direction: directionOf(vectors[index] as Float32Array) },
      scales: new Float32Array(tokensPerChunk).fill(1 / (73 * Math.sqrt(tokenWidth))),
      starts: Int32Array.from({ length: tokensPerChunk }, (_, at) => Math.floor((at * text.length) / tokensPerChunk)),
      values: noise.subarray(from, from + size),
    };
  });
  await blobs.put(tokensKey(ref), writeTokenFile(facts, tokens));
}

function randomVector(random: () => number): Float32Array {
  const vector = Float32Array.from({ length: dimension }, () => random() + random() + random() - 1.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function near(centre: Float32Array, random: () => number): Float32Array {
  const own = randomVector(random);
  const vector = centre.map((value, at) => value + spread * (own[at] as number));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
