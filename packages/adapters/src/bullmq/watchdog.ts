import type { Tier } from '@semantic-memory/shared/contracts/jobs';
import type { JobQueue } from '@semantic-memory/shared/ports/job-queue';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import type { TierWorker } from './tier-worker.ts';

export interface WatchdogOptions {
  readonly queue: Pick<JobQueue, 'counts'>;
  /** Throws where Redis takes no writes: it still counts jobs then, and nobody can take one. */
  readonly checkWrites: () => Promise<void>;
  readonly workers: readonly Pick<TierWorker, 'tier' | 'concurrency' | 'running' | 'lastActivityAt'>[];
  readonly logger: Logger;
  /** Called once; a process that does not consume is better started anew. */
  readonly onStuck: () => void;
  readonly everyMs?: number;
  /** Longer than a reconnect and the longest blocking read. */
  readonly stuckAfterMs?: number;
}

/** So many looks in a row must find a worker standing still: a waiting job may have come this very moment. */
const looks = 3;

/**
 * Finds a worker that has room, in front of a queue with waiting jobs, on a Redis that answers, and takes nothing. BullMQ
 * workers came to stand still like that after outages (taskforcesh/bullmq 4585, 4479, 4378).
 * @returns what stops it
 */
export function startWatchdog(options: WatchdogOptions): () => void {
  const { stuckAfterMs = 60_000, everyMs = Math.min(10_000, stuckAfterMs) } = options;
  const seen = new Map<Tier, number>();
  const timer = setInterval(() => {
    findIdleTiers(options, stuckAfterMs, Date.now()).then(
      (idle) => {
        for (const worker of options.workers) {
          seen.set(worker.tier, idle.includes(worker.tier) ? (seen.get(worker.tier) ?? 0) + 1 : 0);
        }
        const stuck = idle.find((tier) => seen.get(tier)! >= looks);
        if (stuck === undefined) return;
        clearInterval(timer);
        options.logger.error('jobs wait and the worker takes none', { tier: stuck });
        options.onStuck();
      },
      // Redis is away, or full: standing still is right.
      (error: Error) => {
        seen.clear();
        options.logger.debug('the queue cannot be looked at', { error: error.message });
      },
    );
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** The tiers with waiting jobs whose worker has room and took none for `stuckAfterMs`. */
async function findIdleTiers(
  { queue, workers, checkWrites }: WatchdogOptions,
  stuckAfterMs: number,
  nowMs: number,
): Promise<Tier[]> {
  const idle = workers.filter(
    (worker) => worker.running < worker.concurrency && nowMs - worker.lastActivityAt > stuckAfterMs,
  );
  if (idle.length === 0) return [];
  await checkWrites();
  const waiting = (await queue.counts()).filter((count) => count.waiting > 0).map((count) => count.tier);
  return idle.map((worker) => worker.tier).filter((tier) => waiting.includes(tier));
}
