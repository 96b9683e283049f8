import { MemoryError } from '../contracts/errors.ts';
import { jobRegistry, tiers } from '../contracts/jobs.ts';
import type { JobQueue, QueuedJob } from '../ports/job-queue.ts';

/** A queue that hands out nothing by itself: the test takes jobs and runs them. */
export interface InMemoryQueue extends JobQueue {
  /** What waits, in the order in which it would be taken. */
  readonly waiting: readonly QueuedJob[];
  /** Removes the next job (by priority, then age; delays are ignored) and returns it. */
  take(): QueuedJob | undefined;
  /** While true every call throws `dependency_unavailable`. */
  unavailable: boolean;
}

const rank = { high: 0, normal: 1, low: 2 } as const;
const dedupeIdOf = (job: QueuedJob) => jobRegistry[job.name].dedupeId(job.payload as never);
const rankOf = (job: QueuedJob) => rank[job.priority ?? 'normal'];

/** @param now milliseconds since 1970, for the age of waiting jobs */
export function createInMemoryQueue(now: () => number = Date.now): InMemoryQueue {
  const jobs = new Map<string, { job: QueuedJob; at: number }>();
  const ordered = () => [...jobs.values()].map((entry) => entry.job).sort((a, b) => rankOf(a) - rankOf(b));
  const assertAvailable = () => {
    if (queue.unavailable) throw new MemoryError('dependency_unavailable', 'The queue does not answer.');
  };
  const queue: InMemoryQueue = {
    unavailable: false,
    get waiting() {
      return ordered();
    },
    take() {
      const [next] = ordered();
      if (next) jobs.delete(dedupeIdOf(next));
      return next;
    },
    async add(added) {
      assertAvailable();
      for (const job of added) {
        const id = dedupeIdOf(job);
        if (!jobs.has(id)) jobs.set(id, { job: structuredClone(job), at: now() });
      }
    },
    async counts() {
      assertAvailable();
      return tiers.map((tier) => {
        const ofTier = [...jobs.values()].filter((entry) => jobRegistry[entry.job.name].tier === tier);
        const delayed = ofTier.filter((entry) => (entry.job.delayMs ?? 0) > 0);
        const waiting = ofTier.filter((entry) => !delayed.includes(entry));
        const oldest = Math.min(...waiting.map((entry) => entry.at));
        return {
          tier,
          waiting: waiting.length,
          active: 0,
          delayed: delayed.length,
          failed: 0,
          oldestWaitSeconds: waiting.length > 0 ? (now() - oldest) / 1000 : 0,
        };
      });
    },
    async close() {},
  };
  return queue;
}
