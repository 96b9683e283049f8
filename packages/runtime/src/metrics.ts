import { documentFaultCodes } from '@semantic-memory/shared/contracts/errors';
import type { Tier } from '@semantic-memory/shared/contracts/jobs';
import type { QueueCounts } from '@semantic-memory/shared/ports/job-queue';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import type { Metrics } from '@semantic-memory/shared/ports/metrics';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { addDiskGauges, type WatchedVolume } from './disk-gauges.ts';
import { addQueueGauges } from './queue-gauges.ts';

export interface PrometheusMetrics extends Metrics {
  /** The text that a scrape gets. */
  metricsText(): Promise<string>;
  readonly contentType: string;
}

export interface MetricsOptions {
  /** Asked at each scrape; without it there are no `queue_` gauges, so that one process of many reports them. */
  readonly counts?: () => Promise<readonly QueueCounts[]>;
  readonly logger?: Logger;
  /** The longest that a scrape waits for `counts`. */
  readonly countsTimeoutMs?: number;
  /** The file system that fills up, where there is one. */
  readonly volume?: WatchedVolume | undefined;
  /** What this process does. */
  readonly does?: Work;
}

/**
 * What a process does: the series of that are there from its start, at 0. A counter that appears with its first event
 * hides that event from `rate()`.
 */
export interface Work {
  /** Answers requests. */
  readonly api?: boolean;
  readonly tiers?: readonly Tier[];
  /** The model that new namespaces get. */
  readonly embeddingModel?: string;
}

const second = 1;
const minute = 60 * second;
// Steps run from milliseconds (a short text) to hours (OCR of 5,000 pages).
const jobBuckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 30, minute, 5 * minute, 15 * minute, 60 * minute, 240 * minute];
const waitBuckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 30, minute, 5 * minute, 15 * minute, 60 * minute];
const searchBuckets = [0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const ragBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
const httpBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const breakerNumbers = { closed: 0, half_open: 1, open: 2 } as const;

/** What the logic counts, as Prometheus metrics with the public names. Labels are bounded. */
export function createMetrics(options: MetricsOptions = {}): PrometheusMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  if (options.counts) addQueueGauges(registry, options.counts, options);
  if (options.volume) addDiskGauges(registry, options.volume, options.logger);

  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const seconds = <Label extends string>(name: string, help: string, buckets: number[], labelNames: readonly Label[]) =>
    new Histogram({ name, help, buckets, labelNames, registers: [registry] });

  const http = seconds('http_request_duration_seconds', 'From request to the end of its answer.', httpBuckets, [
    'method',
    'route',
    'status',
  ]);
  const requests = counter('ingest_requests_total', 'Requests to ingest a document, by how they were answered.', [
    'outcome',
  ]);
  const documents = counter('ingest_documents_total', 'Documents that reached a terminal state.', [
    'outcome',
    'reason',
  ]);
  const ingest = seconds('ingest_duration_seconds', 'From accepted to terminal.', jobBuckets, ['source']);
  const attempts = counter('job_attempts_total', 'Runs of a step.', ['tier', 'outcome']);
  const durations = seconds('job_duration_seconds', 'Time in a run of a step.', jobBuckets, ['tier']);
  const waits = seconds('job_wait_seconds', 'From handed out to taken up.', waitBuckets, ['tier']);
  const stalled = counter('job_stalled_total', 'Runs whose process went away.', ['tier']);
  const searches = seconds('search_duration_seconds', 'Time to answer a search.', searchBuckets, ['mode']);
  const rags = seconds('rag_request_duration_seconds', 'Time to answer a question.', ragBuckets, ['outcome', 'mode']);
  const firstToken = seconds('rag_time_to_first_token_seconds', 'From question to first word.', ragBuckets, []);
  const cache = counter('cache_requests_total', 'Look-ups in a cache layer.', ['layer', 'result']);
  const tokens = counter('embedding_tokens_total', 'Tokens that were embedded.', ['model']);
  const degraded = counter('degraded_responses_total', 'Answers that lacked something, by what.', ['reason']);
  const breaker = gauge('breaker_state', '0 closed, 1 half open, 2 open.', ['dependency']);
  const webhooks = counter('webhook_attempts_total', 'Attempts to call a webhook, by how they went.', ['outcome']);
  const drift = gauge('index_drift', 'What the last reconciliation found out of step.', ['kind']);

  const { api = false, tiers = [], embeddingModel } = options.does ?? {};
  if (api || tiers.length > 0) {
    for (const [outcome, reason] of ends) documents.inc({ outcome, reason }, 0);
  }
  if (api) {
    for (const outcome of ['accepted', 'rejected', 'failed']) requests.inc({ outcome }, 0);
    for (const mode of ['hybrid', 'dense', 'lexical']) searches.zero({ mode });
    for (const mode of ['extractive', 'generative']) {
      for (const outcome of ['answered', 'refused', 'rejected', 'failed', 'cancelled']) rags.zero({ outcome, mode });
    }
    for (const layer of ['l1', 'l2']) for (const result of ['hit', 'miss']) cache.inc({ layer, result }, 0);
    cache.inc({ layer: 'l2', result: 'error' }, 0);
    for (const reason of degradedReasons) degraded.inc({ reason }, 0);
  }
  for (const tier of tiers) {
    for (const outcome of ['succeeded', 'rejected', 'failed', 'waiting']) attempts.inc({ tier, outcome }, 0);
    durations.zero({ tier });
    waits.zero({ tier });
    stalled.inc({ tier }, 0);
  }
  if (tiers.includes('embed') && embeddingModel) tokens.inc({ model: embeddingModel }, 0);
  if (tiers.includes('fetch')) {
    for (const outcome of ['delivered', 'retried', 'refused', 'gave_up']) webhooks.inc({ outcome }, 0);
  }

  return {
    httpRequest: (method, route, status, value) => http.observe({ method, route, status }, value),
    ingestRequest: (outcome) => requests.inc({ outcome }),
    documentFinished: (outcome, reason) => documents.inc({ outcome, reason }),
    ingestDuration: (source, value) => ingest.observe({ source }, value),
    jobAttempt(tier, outcome, value) {
      attempts.inc({ tier, outcome });
      durations.observe({ tier }, value);
    },
    jobWaited: (tier, value) => waits.observe({ tier }, value),
    jobStalled: (tier) => stalled.inc({ tier }),
    search: (mode, value) => searches.observe({ mode }, value),
    rag: (outcome, mode, value) => rags.observe({ outcome, mode }, value),
    ragFirstToken: (value) => firstToken.observe(value),
    cacheRequest: (layer, result) => cache.inc({ layer, result }),
    embeddingTokens: (model, count) => tokens.inc({ model }, count),
    degraded: (reason) => degraded.inc({ reason }),
    breakerState: (dependency, state) => breaker.set({ dependency }, breakerNumbers[state]),
    webhookAttempt: (outcome) => webhooks.inc({ outcome }),
    indexDrift: (kind, count) => drift.set({ kind }, count),
    metricsText: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** How documents end, and why. Other reasons appear when they come. */
const ends = [
  ['succeeded', 'none'],
  ['partial', 'none'],
  ['failed', 'internal'],
  ['cancelled', 'cancelled'],
  ...documentFaultCodes.map((code) => ['rejected', code] as const),
] as const;

/** What an answer can lack (docs/search.md). */
const degradedReasons = [
  'embedder_unavailable',
  'vector_index_unavailable',
  'lexical_index_unavailable',
  'language_model_unavailable',
  'rerank_unavailable',
  'index_rebuilding',
  'candidates_incomplete',
  'stale',
] as const;
