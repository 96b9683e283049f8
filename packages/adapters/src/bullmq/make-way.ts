import type { Tier } from '@semantic-memory/shared/contracts/jobs';
import type { Priority } from '@semantic-memory/shared/contracts/model/ids';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { type Job, WaitingError } from 'bullmq';
import { priorityOf } from './fair-order.ts';
import type { QueueDesk } from './job-queue.ts';

/** Tenants take turns within one priority. */
export interface Turn {
  readonly priority: Priority;
  readonly tenant: string;
}

interface WayDeps {
  readonly tier: Tier;
  readonly desk?: QueueDesk | undefined;
  readonly sliceMs?: number | undefined;
  readonly logger: Logger;
  /** Whether the worker takes no more jobs. */
  readonly isClosing: () => boolean;
}

/** Puts a job back behind those whose turn it is, for any worker that takes it. */
export async function makeWayFor({ tier, desk }: WayDeps, job: Job, token: string | undefined): Promise<never> {
  const place = turnOf(job);
  if (desk && place) await desk.placeAgain(tier, place.priority, { id: job.id!, tenant: place.tenant });
  await job.moveToWait(token);
  throw new WaitingError();
}

/** Whose turn a job takes; undefined where it takes none. */
export function turnOf(job: Job): Turn | undefined {
  const priority = priorityOf(job.opts.priority);
  return priority && { priority, tenant: (job.data as { tenant: string }).tenant };
}

/** Answers a job that runs long whether it should end at its next checkpoint. The queue is asked once in `sliceMs`. */
export function createMakeWay(
  { tier, desk, sliceMs = 2_000, logger, isClosing }: WayDeps,
  job: Job,
): () => Promise<boolean> {
  const place = turnOf(job);
  let lookedAt = performance.now();
  return async () => {
    // Another worker has the rest at once, and nothing that was done is done again.
    if (isClosing()) return true;
    if (!desk || !place || performance.now() - lookedAt < sliceMs) return false;
    lookedAt = performance.now();
    try {
      return await desk.othersWait(tier, place.priority, place.tenant);
    } catch (error) {
      // Nobody can be seen while the queue is away; the work goes on.
      logger.debug('the queue cannot be looked at', { tier, error });
      return false;
    }
  };
}
