import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { jobRegistry, type Tier, tiers } from '@semantic-memory/shared/contracts/jobs';
import type { Priority } from '@semantic-memory/shared/contracts/model/ids';
import type { JobQueue, QueuedJob } from '@semantic-memory/shared/ports/job-queue';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { Job, type JobsOptions, Queue } from 'bullmq';
import type { BreakerState } from '../breaker/breaker.ts';
import { closeRedis, openRedis, withRedis } from '../redis/connection.ts';
import { runScript } from '../redis/script.ts';
import { defaultPriority, othersWait, placeAgain, placeInTurn, priorityClass } from './fair-order.ts';
import { parseCounts, queueCountsArgs, queueCountsScript } from './queue-counts.ts';
import { queueName } from './queue-names.ts';
import { countLoneStart, forgiveStall } from './suspects.ts';

/** What a worker asks the queue about a job that it has in hand. */
export interface QueueDesk {
  /** Of a job that is under suspicion to kill its process: see `suspects.ts`. */
  countLoneStart(tier: Tier, id: string, by: 1 | -1): Promise<number>;
  /** Of jobs that a worker leaves unfinished since it is told to end: that is no death to hold against them. */
  forgiveStall(tier: Tier, ids: readonly string[]): Promise<void>;
  /** Whether others should run before a job of this tenant and priority goes on. */
  othersWait(tier: Tier, priority: Priority, tenant: string): Promise<boolean>;
  /** Gives an active job its place for when it is handed back. */
  placeAgain(tier: Tier, priority: Priority, job: { readonly id: string; readonly tenant: string }): Promise<void>;
}

export interface BullmqQueueOptions {
  readonly url: string;
  /** Begins every key; the workers' must be the same. */
  readonly prefix: string;
  readonly logger?: Logger | undefined;
  /** Told whenever the circuit breaker changes. */
  readonly onBreakerState?: ((state: BreakerState) => void) | undefined;
}

/**
 * The queue's sending side. One connection for all tiers, which says within seconds when Redis is away
 * (`dependency_unavailable`). An add that timed out may still be carried out later: ids are deterministic, so
 * adding again is safe.
 */
export function createBullmqQueue({ url, prefix, logger, onBreakerState }: BullmqQueueOptions): JobQueue & QueueDesk {
  const redis = openRedis(url, { name: 'queue', prefix, logger, onBreakerState });
  const queues = new Map<Tier, Queue>();
  const keyOf = (tier: Tier) => `${prefix}:${queueName(tier)}`;

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
            const { client: opening } = queue.getBackend();
            const client = await opening;
            // All of it is asked in one turn of the event loop, so the connection sends it in one write, in this order.
            const sent: Promise<unknown>[] = ofTier.map((job) =>
              new Job(queue, job.name, job.payload, optionsOf(job), dedupeIdOf(job)).addJob(client),
            );
            for (const [priority, ofPriority] of Map.groupBy(ofTier.filter(takesTurns), priorityOfJob)) {
              const placed = ofPriority.map((job) => ({ id: dedupeIdOf(job), tenant: job.payload.tenant }));
              sent.push(placeInTurn(redis, keyOf(tier), priorityClass(priority), placed));
            }
            await Promise.all(sent);
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
              ['wait', 'prioritized', 'active', 'delayed', 'failed'].map((part) => `${keyOf(tier)}:${part}`),
              queueCountsArgs(keyOf(tier)),
            );
            return parseCounts(tier, answer, now);
          }),
        ),
      );
    },

    countLoneStart: (tier, id, by) => withRedis(redis, () => countLoneStart(redis, `${keyOf(tier)}:${id}`, by)),
    forgiveStall: (tier, ids) =>
      withRedis(redis, () =>
        forgiveStall(
          redis,
          ids.map((id) => `${keyOf(tier)}:${id}`),
        ),
      ),
    othersWait: (tier, priority, tenant) => withRedis(redis, () => othersWait(redis, keyOf(tier), priority, tenant)),
    placeAgain: (tier, priority, job) =>
      withRedis(redis, () => placeAgain(redis, keyOf(tier), priorityClass(priority), job)),

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
    // 0 comes first: what a process asks of its own accord is not held up by documents.
    priority: takesTurns(job) ? priorityClass(priorityOfJob(job)).unplaced : 0,
    delay: job.delayMs ?? 0,
    // The ledger holds the truth, and an id that is kept would turn the next add into a silent no-op.
    removeOnComplete: true,
    removeOnFail: true,
    stackTraceLimit: 1,
    ...(job.traceparent ? { telemetry: { metadata: job.traceparent } } : {}),
  };
}

const priorityOfJob = (job: QueuedJob): Priority => job.priority ?? defaultPriority;

type TenantsJob = Extract<QueuedJob, { payload: { tenant: string } }>;

/** Whatever a tenant asks for waits its turn among the tenants; what is put off has waited when it is due. */
const takesTurns = (job: QueuedJob): job is TenantsJob => 'tenant' in job.payload && !job.delayMs;

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
