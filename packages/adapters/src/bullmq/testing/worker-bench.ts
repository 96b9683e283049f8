import type { Metrics } from '@semantic-memory/shared/ports/metrics';
import { createBullmqQueue } from '../job-queue.ts';
import { startTierWorker, type TierWorkerOptions } from '../tier-worker.ts';

let prefixes = 0;

/**
 * A queue of its own with what its workers have logged and counted.
 * @param closers get what closes it, to be called from the last to the first
 */
export function createWorkerBench(url: string, closers: (() => Promise<unknown>)[]) {
  prefixes += 1;
  const prefix = `worker-test-${process.pid}-${Date.now()}-${prefixes}`;
  const queue = createBullmqQueue({ url, prefix });
  closers.push(() => queue.close());
  const counted: string[] = [];
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  const metrics = new Proxy({} as Metrics, {
    get: (_, name) => (label: string, outcome: unknown) =>
      counted.push([name, label, ...(typeof outcome === 'string' ? [outcome] : [])].join(' ')),
  });
  const start = (handle: TierWorkerOptions['handle'], more: Partial<TierWorkerOptions> = {}) => {
    const worker = startTierWorker({ url, prefix, tier: 'parse', concurrency: 2, handle, logger, metrics, ...more });
    closers.push(() => worker.close(1000));
    return worker;
  };
  const emptied = async () => {
    for (;;) {
      const counts = await queue.counts();
      if (counts.every((count) => count.waiting + count.active + count.delayed + count.failed === 0)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return { prefix, queue, start, counted, logged, emptied };
}

export const gate = () => Promise.withResolvers<void>();
