import type { Tier } from '@semantic-memory/shared/contracts/jobs';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import type { Worker } from 'bullmq';
import type { QueueDesk } from './job-queue.ts';
import type { RunningJobs } from './running-jobs.ts';

/** How often a full worker looks who waits: Redis takes some 30 µs for it. */
const lookEveryMs = 25;

export interface GuestOptions {
  readonly worker: Worker;
  readonly tier: Tier;
  readonly desk: Pick<QueueDesk, 'othersWait'>;
  readonly running: Pick<RunningJobs, 'size' | 'majority'>;
  /** Jobs that the worker has at once. */
  readonly concurrency: number;
  /** Jobs beyond them. */
  readonly places: number;
  readonly logger: Logger;
}

export interface Guests {
  /** Takes no more. Resolves when those in hand have ended. */
  close(): Promise<void>;
}

/**
 * Places beside the usual ones, for whoever would wait behind one tenant that has most of those. Its jobs may well all end
 * together, half a second from now, when a group of them is written; the one job of another should not wait for that.
 * The queue's order is kept: what is next is taken.
 */
export function startGuests({ worker, tier, desk, running, concurrency, places, logger }: GuestOptions): Guests {
  const inHand = new Set<Promise<unknown>>();
  let looking: Promise<void> | undefined;
  let taken = 0;

  async function look(): Promise<void> {
    while (inHand.size < places && running.size >= concurrency) {
      const most = running.majority;
      if (!most || !(await desk.othersWait(tier, most.priority, most.tenant))) return;
      taken += 1;
      const token = `${worker.id}:guest:${taken}`;
      const job = await worker.getNextJob(token, { block: false });
      if (!job) return;
      const served: Promise<unknown> = worker
        .processJob(job, token, () => false)
        // What became of the job was said already; this is a queue that could not be told. Its lock runs out.
        .catch((error: unknown) => logger.warn('the end of a step could not be reported', { tier, error }))
        .finally(() => inHand.delete(served));
      inHand.add(served);
    }
  }

  const timer = setInterval(() => {
    if (running.size < concurrency) return;
    looking ??= look()
      // While the queue is away nobody can be seen; BullMQ logs what became of a job.
      .catch((error: unknown) => logger.debug('nobody can be looked for', { tier, error }))
      .finally(() => {
        looking = undefined;
      });
  }, lookEveryMs);
  timer.unref();

  return {
    async close() {
      clearInterval(timer);
      await looking;
      await Promise.allSettled(inHand);
    },
  };
}
