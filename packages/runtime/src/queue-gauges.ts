import type { QueueCounts } from '@semantic-memory/shared/ports/job-queue';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { Gauge, type Registry } from 'prom-client';

/** Queue lengths and ages, read when Prometheus asks. */
export function addQueueGauges(
  registry: Registry,
  counts: () => Promise<readonly QueueCounts[]>,
  { logger, countsTimeoutMs = 2000 }: { readonly logger?: Logger; readonly countsTimeoutMs?: number },
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
