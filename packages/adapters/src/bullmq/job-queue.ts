import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { jobRegistry, type Tier, tiers } from '@semantic-memory/shared/contracts/jobs';
import type { JobQueue, QueuedJob } from '@semantic-memory/shared/ports/job-queue';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { type JobsOptions, Queue } from 'bullmq';
import { closeRedis, openRedis, withRedis } from '../redis/connection.ts';
import { runScript } from '../redis/script.ts';
import { parseCounts, queueCountsScript } from './queue-counts.ts';
import { queueName, queuePriorities } from './queue-names.ts';

export interface BullmqQueueOptions {
  readonly url: string;
  /** Begins every key; the workers' must be the same. */
  readonly prefix: string;
  readonly logger?: Logger | undefined;
}

/**
 * The queue's sending side. One connection for all tiers, which says within seconds when Redis is away
 * (`dependency_unavailable`). An add that timed out may still be carried out later: ids are deterministic, so
 * adding again is safe.
 */
export function createBullmqQueue({ url, prefix, logger }: BullmqQueueOptions): JobQueue {
  const redis = openRedis(url, { name: 'queue', logger });
  const queues = new Map<Tier, Queue>();

  const openQueue = async (tier: Tier): Promise<Queue> => {
    const queue = queues.get(tier) ?? new Queue(queueName(tier), { connection: redis, prefix });
    if (!queues.has(tier)) {
      queues.set(tier, queue);
      // The connection's own listener has logged it; without one here an outage would end the process.
      queue.on('error', () => undefined);
    }
    try {
      await queue.waitUntilReady();
      return queue;
    } catch (error) {
      // A queue whose first commands failed never becomes ready: the next call makes a new one.
      if (queues.get(tier) === queue) queues.delete(tier);
      throw error;
    }
  };

  return {
    async add(jobs) {
      for (const job of jobs) assertValid(job);
      await withRedis(redis, async () => {
        await Promise.all(
          [...groupByTier(jobs)].map(async ([tier, ofTier]) => {
            const queue = await openQueue(tier);
            const added = ofTier.map((job) => ({ name: job.name, data: job.payload, opts: optionsOf(job) }));
            const [only] = added;
            // In bulk is a transaction, which costs three times as much for a single job.
            if (only && added.length === 1) await queue.add(only.name, only.data, only.opts);
            else await queue.addBulk(added);
          }),
        );
      });
    },

    async counts() {
      const now = Date.now();
      return withRedis(redis, () =>
        Promise.all(
          tiers.map(async (tier) => {
            const answer = await runScript(
              redis,
              queueCountsScript,
              ['wait', 'prioritized', 'active', 'delayed', 'failed'].map(
                (part) => `${prefix}:${queueName(tier)}:${part}`,
              ),
              [`${prefix}:${queueName(tier)}:`, ...Object.values(queuePriorities)],
            );
            return parseCounts(tier, answer, now);
          }),
        ),
      );
    },

    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      // BullMQ leaves a connection that it was given open.
      await closeRedis(redis);
    },
  };
}

function groupByTier(jobs: readonly QueuedJob[]): Map<Tier, QueuedJob[]> {
  return Map.groupBy(jobs, (job) => jobRegistry[job.name].tier);
}

function optionsOf(job: QueuedJob): JobsOptions {
  const { attempts, backoffMs } = jobRegistry[job.name];
  return {
    jobId: dedupeIdOf(job),
    attempts,
    backoff: { type: 'exponential', delay: backoffMs },
    priority: queuePriorities[job.priority ?? 'normal'],
    delay: job.delayMs ?? 0,
    // The ledger holds the truth, and an id that is kept would turn the next add into a silent no-op.
    removeOnComplete: true,
    removeOnFail: true,
    stackTraceLimit: 1,
  };
}

function dedupeIdOf(job: QueuedJob): string {
  // Name and payload belong together by type; the union has lost which is which.
  return jobRegistry[job.name].dedupeId(job.payload as never);
}

/** Both ends parse: a payload that the worker would refuse is a fault of ours, found here. */
function assertValid(job: QueuedJob): void {
  const parsed = jobRegistry[job.name].payload.safeParse(job.payload);
  if (parsed.success) return;
  throw new MemoryError('internal', `A ${job.name} job has a payload that its schema refuses.`, {
    cause: parsed.error,
  });
}
