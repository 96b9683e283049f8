import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createBullmqQueue } from '@semantic-memory/adapters/bullmq/job-queue';
import { startTierWorker } from '@semantic-memory/adapters/bullmq/tier-worker';
import { createChromaIndex } from '@semantic-memory/adapters/chroma/vector-index';
import { createFilesystemBlobStore } from '@semantic-memory/adapters/filesystem/blob-store';
import { createChildParser } from '@semantic-memory/adapters/parse/parser';
import { createRedisLedger } from '@semantic-memory/adapters/redis/ledger';
import { createRedisLexicalIndex } from '@semantic-memory/adapters/redis/lexical-index';
import { type Tier, tiers } from '@semantic-memory/shared/contracts/jobs';
import type { Extraction, OcrPage } from '@semantic-memory/shared/contracts/model/extraction';
import type { StepDeps } from '@semantic-memory/shared/ingest/deps';
import { createIndexWriter } from '@semantic-memory/shared/ingest/index/index-writer';
import { createCancellationWatch } from '@semantic-memory/shared/ingest/jobs/cancellation-watch';
import type { OcrInput } from '@semantic-memory/shared/ports/ocr';
import type { ParseInput } from '@semantic-memory/shared/ports/parser';
import { createFakeEmbedder, fakeTokenizer } from '@semantic-memory/shared/testing/fake-embedder';
import { silentLogger, silentMetrics } from '@semantic-memory/shared/testing/in-memory-flow';
import { createHandlers, dispatch } from '../handlers.ts';

/**
 * A worker of all tiers over real Redis, Chroma, blobs and parser children, for tests that kill it. What would take
 * long on real documents is slow here on purpose, and each unit of it is a line in a log that outlives the process:
 * `PID TIER UNIT`. See `fault-bench.ts` for the documents that it understands.
 */
export interface FaultWorkerSettings {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly chromaHost: string;
  readonly chromaPort: number;
  readonly directory: string;
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  readonly sliceMs: number;
  /** How long a page, a batch of texts, a fetch and a write to the index take. */
  readonly unitMs: number;
  readonly concurrency: number;
  readonly only?: readonly Tier[];
}

const settings = JSON.parse(process.argv[2] ?? '{}') as FaultWorkerSettings;
const { redisUrl: url, prefix, directory, unitMs } = settings;
const note = (tier: Tier, unit: string | number) =>
  appendFileSync(join(directory, 'work.log'), `${process.pid} ${tier} ${unit}\n`);

const ledger = createRedisLedger({ url, prefix });
const lexical = createRedisLexicalIndex({ url, prefix });
const queue = createBullmqQueue({ url, prefix });
const vectors = createChromaIndex({ host: settings.chromaHost, port: settings.chromaPort, ssl: false });
const childParser = createChildParser({
  processes: 2,
  pageMs: 1500,
  childEntry: new URL(import.meta.resolve('@semantic-memory/adapters/parse/testing/misbehaving-child')),
});
const writer = createIndexWriter(vectors);
const fake = createFakeEmbedder();
/** Pages that cannot be read as long as this file is there. */
const badPages = join(directory, 'bad-pages');

/** `scan N` has N pages for OCR, `slow` takes its time; the children do what any other text says. */
async function parse(input: ParseInput, signal: AbortSignal): Promise<Extraction> {
  const text = readFileSync(input.path, 'utf8');
  note('parse', text.slice(0, 20).split('\n')[0] ?? '');
  if (text.startsWith('slow')) await delay(unitMs * 10, undefined, { signal });
  const pages = Number(/^scan (\d+)/.exec(text)?.[1] ?? 0);
  if (pages === 0) return childParser.parse(input, signal);
  return {
    schemaVersion: 1,
    mediaType: 'application/pdf',
    paged: true,
    pages: Array.from({ length: pages }, (_, index) => ({ number: index + 1, text: '', needsOcr: true })),
    warnings: [],
  };
}

async function* readPages({ pages }: OcrInput, signal: AbortSignal): AsyncGenerator<OcrPage> {
  for (const number of pages) {
    note('ocr', number);
    await delay(unitMs, undefined, { signal });
    const page = { schemaVersion: 1 as const, number, confidence: 90 };
    const bad = existsSync(badPages) && readFileSync(badPages, 'utf8').split(',').includes(String(number));
    if (bad) yield { ...page, text: '', confidence: 0, failure: 'The page could not be drawn.' };
    else yield { ...page, text: `This is what page ${number} says.` };
  }
}

async function* fetched(address: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`This came from ${address}.`);
}

const cancellations = createCancellationWatch({ ledger, logger: silentLogger });
const deps: StepDeps & { cancellations: typeof cancellations } = {
  blobs: createFilesystemBlobStore(join(directory, 'blobs')),
  ledger,
  queue,
  clock: { now: Date.now },
  metrics: silentMetrics,
  logger: silentLogger,
  jobRetentionMs: 30 * 24 * 3_600_000,
  embeddingModel: fake.model,
  web: {
    fetch: async (finalUrl, _limits, signal) => {
      note('fetch', 'begun');
      await delay(unitMs * 10, undefined, { signal });
      return { body: fetched(finalUrl), mediaType: 'text/plain', finalUrl };
    },
  },
  git: { checkout: () => Promise.reject(new Error('not in this test')) },
  objects: {
    list: () => {
      throw new Error('not in this test');
    },
    fetch: () => Promise.reject(new Error('not in this test')),
  },
  allowedBuckets: [],
  readArchive: () => {
    throw new Error('not in this test');
  },
  parser: { parse, close: () => childParser.close() },
  ocr: { read: readPages, close: async () => {} },
  tokenizer: fakeTokenizer,
  embedderFor: () => ({
    ...fake,
    embedPassages: async (texts, signal) => {
      for (const text of texts) {
        if (text.includes('kill the worker')) process.kill(process.pid, 'SIGKILL');
        note('embed', text.slice(0, 30).replaceAll(/\s+/g, '-'));
      }
      await delay(unitMs, undefined, signal ? { signal } : {});
      return fake.embedPassages(texts, signal);
    },
  }),
  vectors,
  lexical,
  indexWriter: {
    write: async (key, records) => {
      note('index', records.length);
      await delay(unitMs * 10);
      await writer.write(key, records);
    },
  },
  limits: {
    maxBytes: 1e7,
    maxPages: 1000,
    maxInflatedBytes: 1e7,
    maxImagePixels: 1e6,
    pageMs: 5000,
    fetchMs: 5000,
    maxObjects: 100,
    maxObjectsBytes: 1e8,
  },
  cancellations,
};

const handlers = createHandlers({
  ...deps,
  recovery: ledger,
  replies: { send: () => Promise.reject(new Error('not in this test')) },
  speeds: { embeddedTokensPerSecond: 1, ocrPagesPerSecond: 1, usdPerMillionTokens: 0 },
  versionRetentionMs: 3_600_000,
  webhooks: {
    sender: { post: () => Promise.reject(new Error('not in this test')) },
    secret: undefined,
    timeoutMs: 1000,
    backoffMs: 1000,
    retryMs: 1000,
  },
});
for (const tier of settings.only ?? tiers) {
  startTierWorker({
    url,
    prefix,
    tier,
    concurrency: settings.concurrency,
    lockMs: settings.lockMs,
    stalledCheckMs: settings.stalledCheckMs,
    sliceMs: settings.sliceMs,
    desk: queue,
    handle: (job, delivery) => dispatch(handlers, job, delivery),
    logger: silentLogger,
    metrics: silentMetrics,
  });
}
process.stdout.write('ready\n');
