import type { QueueCounts } from '@semantic-memory/shared/ports/job-queue';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import type { Metrics } from '@semantic-memory/shared/ports/metrics';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

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
}

const second = 1;
const minute = 60 * second;
// Steps run from milliseconds (a short text) to hours (OCR of 5,000 pages).
const jobBuckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 30, minute, 5 * minute, 15 * minute, 60 * minute, 240 * minute];
const waitBuckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 30, minute, 5 * minute, 15 * minute, 60 * minute];
const searchBuckets = [0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const ragBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
const breakerNumbers = { closed: 0, half_open: 1, open: 2 } as const;

/** What the logic counts, as Prometheus metrics with the public names. Labels are bounded. */
export function createMetrics(options: MetricsOptions = {}): PrometheusMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  if (options.counts) addQueueGauges(registry, options.counts, options);

  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const seconds = <Label extends string>(name: string, help: string, buckets: number[], labelNames: readonly Label[]) =>
    new Histogram({ name, help, buckets, labelNames, registers: [registry] });

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

  return {
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

/** Queue lengths and ages, read when Prometheus asks. */
function addQueueGauges(
  registry: Registry,
  counts: () => Promise<readonly QueueCounts[]>,
  { logger, countsTimeoutMs = 2000 }: MetricsOptions,
): void {
  // Both gauges are collected at the same time: whichever comes first asks for both.
  let asking: Promise<readonly QueueCounts[]> | undefined;
  const ask = () => {
    asking ??= within(counts(), countsTimeoutMs)
      .catch((error: unknown) => {
        // The other metrics are what one needs most when the queue is away: the scrape goes on without these.
        logger?.warn('queues could not be counted for the metrics', { error });
        return [];
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
  const labelNames = ['queue', 'state'] as const;
  const shared = { labelNames, registers: [registry] };
  new Gauge({
    ...shared,
    name: 'queue_jobs',
    help: 'Jobs in a queue.',
    async collect() {
      this.reset();
      for (const queue of await ask()) {
        this.set({ queue: queue.tier, state: 'wait' }, queue.waiting);
        this.set({ queue: queue.tier, state: 'active' }, queue.active);
        this.set({ queue: queue.tier, state: 'delayed' }, queue.delayed);
        this.set({ queue: queue.tier, state: 'failed' }, queue.failed);
      }
    },
  });
  new Gauge({
    ...shared,
    name: 'queue_oldest_age_seconds',
    help: 'Age of the oldest job that waits.',
    async collect() {
      this.reset();
      for (const queue of await ask()) this.set({ queue: queue.tier, state: 'wait' }, queue.oldestWaitSeconds);
    },
  });
}

async function within<Value>(work: Promise<Value>, limitMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
