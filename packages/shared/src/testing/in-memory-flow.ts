import { readFile } from 'node:fs/promises';
import { MemoryError } from '../contracts/errors.ts';
import type { StepName, StepPayload } from '../contracts/jobs.ts';
import type { Extraction, OcrPage } from '../contracts/model/extraction.ts';
import { accept } from '../ingest/accept.ts';
import { type AcceptRequest, storeOriginal } from '../ingest/accept-request.ts';
import { type DryRunDeps, fetchDry, parseDry } from '../ingest/dry-run/run-dry.ts';
import { createIndexWriter } from '../ingest/index/index-writer.ts';
import { type CancellationWatch, createCancellationWatch } from '../ingest/jobs/cancellation-watch.ts';
import { expireJobs } from '../ingest/jobs/expire-jobs.ts';
import { reembed } from '../ingest/reindex/embed-version.ts';
import { removeLeftModels } from '../ingest/reindex/left-models.ts';
import { finishDeletions, sweepDocument } from '../ingest/remove.ts';
import { runStep } from '../ingest/run-step.ts';
import { expireVersions } from '../ingest/versions/expire.ts';
import { notify, type WebhookSettings } from '../ingest/webhooks/notify.ts';
import type { ReadArchive } from '../ports/archive.ts';
import type { Embedder } from '../ports/embedder.ts';
import type { JobRecord } from '../ports/ledger.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Quotas } from '../ports/quotas.ts';
import type { ReplyBox } from '../ports/reply-box.ts';
import { createFakeEmbedder, fakeTokenizer } from './fake-embedder.ts';
import { createInMemoryBlobStore, type InMemoryBlobStore } from './in-memory-blob-store.ts';
import { createInMemoryBuckets } from './in-memory-buckets.ts';
import { createInMemoryLedger, type InMemoryLedger } from './in-memory-ledger.ts';
import { createInMemoryLexicalIndex, type InMemoryLexicalIndex } from './in-memory-lexical-index.ts';
import { createInMemoryQueue, type InMemoryQueue } from './in-memory-queue.ts';
import { createInMemoryReplyBox } from './in-memory-reply-box.ts';
import { createInMemoryVectorIndex, type InMemoryVectorIndex } from './in-memory-vector-index.ts';

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

export const silentMetrics: Metrics = {
  httpRequest: () => {},
  ingestRequest: () => {},
  documentFinished: () => {},
  ingestDuration: () => {},
  jobAttempt: () => {},
  jobWaited: () => {},
  jobStalled: () => {},
  search: () => {},
  rag: () => {},
  ragFirstToken: () => {},
  cacheRequest: () => {},
  embeddingTokens: () => {},
  degraded: () => {},
  breakerState: () => {},
  webhookAttempt: () => {},
  indexDrift: () => {},
};

/** Signs the webhooks of the flow. */
export const webhookSecret = 'a-webhook-secret-for-tests-of-more-than-32';

/** What a step meets once, instead of doing its work. */
export interface Faults {
  parse?: unknown;
  embed?: unknown;
  /** What the receiver of webhooks answers, or throws where it is no number; 200 unless set. */
  webhook?: unknown;
  /** Others wait for their turn at the queue. */
  othersWait?: boolean;
  /** Text that OCR reads, by page; a page that is not here fails. */
  ocr: Map<number, string>;
}

/**
 * The whole flow in one process and without a server: what the queue holds is run by hand. The parser takes pages from
 * the text, divided by form feeds; an empty page is one for OCR.
 */
export interface InMemoryFlow {
  readonly deps: DryRunDeps & {
    readonly replies: ReplyBox;
    readonly cancellations: CancellationWatch;
    readonly webhooks: WebhookSettings;
  };
  readonly blobs: InMemoryBlobStore;
  readonly ledger: InMemoryLedger;
  readonly queue: InMemoryQueue;
  readonly vectors: InMemoryVectorIndex;
  readonly lexical: InMemoryLexicalIndex;
  readonly faults: Faults;
  /** Texts that were embedded, in order. */
  readonly embedded: string[];
  /** Webhooks that were called, in order. */
  readonly calls: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string }[];
  /** Milliseconds that the clock is ahead of the real one. */
  ahead: number;
  readonly versionRetentionMs: number;
  ingest(text: string, request?: Partial<AcceptRequest>): Promise<JobRecord>;
  /** Runs the next job of the queue. Returns its name, or undefined where there was none. */
  runNext(attempt?: { attempt: number; lastAttempt: boolean }): Promise<string | undefined>;
  /** Runs until the queue is empty; a step that is to be tried again is, up to five times. */
  drain(): Promise<void>;
}

/** What a test has in place of the flow's own. */
export interface FlowOptions {
  /** Reads archives; without it none can be imported. */
  readonly readArchive?: ReadArchive;
  /** Whether the model gives vectors of tokens too. */
  readonly lateInteraction?: boolean;
  /** Other models that are served, by name. */
  readonly otherModels?: readonly Embedder[];
  /** Without them no tenant is limited. */
  readonly quotas?: Quotas;
}

export function createInMemoryFlow({
  readArchive = noArchives,
  lateInteraction = false,
  otherModels = [],
  quotas,
}: FlowOptions = {}): InMemoryFlow {
  const blobs = createInMemoryBlobStore();
  const lexical = createInMemoryLexicalIndex();
  const ledger = createInMemoryLedger(lexical);
  const queue = createInMemoryQueue();
  const vectors = createInMemoryVectorIndex();
  const faults: Faults = { ocr: new Map() };
  const embedded: string[] = [];
  const calls: { url: string; headers: Readonly<Record<string, string>>; body: string }[] = [];
  const fake = createFakeEmbedder(undefined, { lateInteraction });
  const late = fake.lateInteraction;
  const embedder: Embedder = {
    ...fake,
    lateInteraction: late && {
      ...late,
      embedPassages: async (texts, signal) => {
        throwOnce(faults, 'embed');
        embedded.push(...texts);
        return late.embedPassages(texts, signal);
      },
    },
    embedPassages: async (texts, signal) => {
      throwOnce(faults, 'embed');
      embedded.push(...texts);
      return fake.embedPassages(texts, signal);
    },
  };
  const cancellations = createCancellationWatch({ ledger, logger: silentLogger }, 10);
  const unreachable = () => Promise.reject(new MemoryError('fetch_failed', 'There is no way out of this process.'));
  const deps: InMemoryFlow['deps'] = {
    blobs,
    ledger,
    queue,
    clock: { now: () => Date.now() + flow.ahead },
    metrics: silentMetrics,
    logger: silentLogger,
    jobRetentionMs: 30 * 24 * 3_600_000,
    quotas,
    embeddingModel: fake.model,
    web: { fetch: unreachable },
    git: { checkout: unreachable },
    objects: createInMemoryBuckets(),
    allowedBuckets: [],
    readArchive,
    parser: {
      parse: async ({ path }) => {
        throwOnce(faults, 'parse');
        return parsed(await readFile(path, 'utf8'));
      },
      close: async () => {},
    },
    ocr: {
      async *read({ pages }) {
        for (const number of pages) yield readPage(faults, number);
      },
      close: async () => {},
    },
    tokenizer: fakeTokenizer,
    embedderFor: (model) => {
      const found = [embedder, ...otherModels].find((one) => one.model === model);
      if (found) return found;
      throw new MemoryError('dependency_unavailable', `The model ${model} is not served here.`);
    },
    vectors,
    indexWriter: createIndexWriter(vectors, { minWaitMs: 0, maxWaitMs: 0 }),
    lexical,
    limits: {
      maxBytes: 1e6,
      maxPages: 100,
      maxInflatedBytes: 1e7,
      maxImagePixels: 1e6,
      pageMs: 1000,
      fetchMs: 1000,
      maxObjects: 10,
      maxObjectsBytes: 5e6,
    },
    cancellations,
    replies: createInMemoryReplyBox(),
    speeds: { embeddedTokensPerSecond: 100, ocrPagesPerSecond: 0.5, usdPerMillionTokens: 20 },
    webhooks: {
      sender: {
        post: async (url, message) => {
          calls.push({ url, ...message });
          const answer = faults.webhook ?? 200;
          if (typeof answer !== 'number') throw answer;
          return { status: answer };
        },
      },
      secret: webhookSecret,
      timeoutMs: 1000,
      backoffMs: 1000,
      retryMs: 60_000,
    },
  };

  const flow: InMemoryFlow = {
    deps,
    blobs,
    ledger,
    queue,
    vectors,
    lexical,
    faults,
    embedded,
    calls,
    ahead: 0,
    versionRetentionMs: 30 * 24 * 3_600_000,
    async ingest(text, request = {}) {
      const tenant = request.tenant ?? 'acme';
      const original = await storeOriginal(deps, tenant, bytesOf(text), deps.limits.maxBytes);
      return accept(deps, {
        tenant,
        namespace: 'default',
        documentId: 'notes',
        metadata: {},
        priority: 'normal',
        options: {},
        source: { type: 'upload' },
        original,
        ...request,
      });
    },
    async runNext({ attempt, lastAttempt } = { attempt: 1, lastAttempt: false }) {
      const job = queue.take();
      if (!job) return undefined;
      const signal = new AbortController().signal;
      if (job.name === 'sweep') await sweepDocument(deps, job.payload);
      else if (job.name === 'expire') {
        await finishDeletions(deps);
        await expireVersions(deps, flow.versionRetentionMs);
        await expireJobs(deps);
        await removeLeftModels(deps, flow.versionRetentionMs);
      } else if (job.name !== 'reconcile') {
        try {
          if (job.name === 'reembed') await reembed(deps, job.payload, signal);
          else if (job.name === 'dryRun') await parseDry(deps, job.payload, { stalls: 0, signal });
          else if (job.name === 'dryRunFetch') await fetchDry(deps, job.payload, { stalls: 0, signal });
          else if (job.name === 'notify') await notify(deps, job.payload, { signal });
          else
            await runStep(deps, job.name as StepName, job.payload as StepPayload, {
              attempt,
              lastAttempt,
              stalls: 0,
              makeWay: async () => flow.faults.othersWait === true,
              signal,
            });
        } catch (error) {
          await queue.add([job]);
          throw error;
        }
      }
      return job.name;
    },
    async drain() {
      for (let attempt = 1; attempt <= 5; ) {
        try {
          if ((await flow.runNext({ attempt, lastAttempt: attempt === 5 })) === undefined) return;
          attempt = 1;
        } catch {
          // The queue holds it still, as it does for a real worker.
          attempt += 1;
        }
      }
      throw new Error('a job never came to an end');
    },
  };
  return flow;
}

const noArchives: ReadArchive = () => {
  throw new MemoryError('internal', 'This flow reads no archives.');
};

async function* bytesOf(text: string): AsyncIterable<Uint8Array> {
  yield new TextEncoder().encode(text);
}

function throwOnce(faults: Faults, step: 'parse' | 'embed'): void {
  const fault = faults[step];
  if (fault === undefined) return;
  faults[step] = undefined;
  throw fault;
}

function parsed(text: string): Extraction {
  const pages = text
    .split('\f')
    .map((page, index) => ({ number: index + 1, text: page, needsOcr: page.trim() === '' }));
  return { schemaVersion: 1, mediaType: 'text/plain', paged: pages.length > 1, pages, warnings: [] };
}

function readPage(faults: Faults, number: number): OcrPage {
  const text = faults.ocr.get(number);
  const page = { schemaVersion: 1 as const, number, text: text ?? '', confidence: text ? 90 : 0 };
  return text === undefined ? { ...page, failure: 'The page could not be rendered.' } : page;
}
