import { jobRegistry, type Tier } from '@semantic-memory/shared/contracts/jobs';
import type { QueuedJob } from '@semantic-memory/shared/ports/job-queue';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import type { Metrics } from '@semantic-memory/shared/ports/metrics';
import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import { retryDelayMs, socketTimeoutMs } from '../redis/connection.ts';
import { redisAddress } from '../redis/slot-owner.ts';
import { queueActionFor } from './failure.ts';
import { type Guests, startGuests } from './guests.ts';
import type { QueueDesk } from './job-queue.ts';
import { createMakeWay, makeWayFor, turnOf } from './make-way.ts';
import { isJobName, queueName } from './queue-names.ts';
import { createRunningJobs } from './running-jobs.ts';
import { createSuspects, createTurns } from './suspects.ts';
import { throttled } from './throttled.ts';

/** What the handler gets to know about this delivery of a job. */
export interface JobContext {
  /** From 1. Waiting for a dependency and a process that died use none up. */
  readonly attempt: number;
  readonly lastAttempt: boolean;
  /** How often a process died or froze with this job, as far as that is held against it. */
  readonly stalls: number;
  /** From when the job was due until it was taken. */
  readonly waitedMs: number;
  /** The span that sent the job, where it was traced. */
  readonly traceparent?: string | undefined;
  /**
   * Whether a job that runs long should end at its next checkpoint, with an error whose retry is `yield`, since others
   * wait or the worker closes. Asks the queue once per slice of time, else answers at once.
   */
  readonly makeWay: () => Promise<boolean>;
  /** Fires when the time is over, the lock is lost, or the worker stops; its reason is a MemoryError to throw. */
  readonly signal: AbortSignal;
}

export type HandledJob = {
  [Name in QueuedJob['name']]: Pick<Extract<QueuedJob, { name: Name }>, 'name' | 'payload'>;
}[QueuedJob['name']];

export interface TierWorkerOptions {
  readonly url: string;
  readonly prefix: string;
  readonly tier: Tier;
  /** Jobs at once. */
  readonly concurrency: number;
  /** Jobs beyond them, for whoever would wait behind a tenant that has most of the places. None by default. */
  readonly guestPlaces?: number | undefined;
  readonly handle: (job: HandledJob, context: JobContext) => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Tells who waits beside a job that runs long; without it a job runs to its end. */
  readonly desk?: QueueDesk;
  /** How long a job runs before it looks whether others wait, and between two looks. */
  readonly sliceMs?: number;
  /**
   * How often the queue hands out a job again whose process died. Far beyond what the handlers allow: they count starts
   * in the ledger and end the job with a reason, where the queue would only drop it.
   */
  readonly maxStalledCount?: number;
  /** How long a job stays with a process that gives no sign of life. */
  readonly lockMs?: number;
  /** How often jobs without a lock are looked for. At most `lockMs` and twice this pass until a killed worker's job goes on. */
  readonly stalledCheckMs?: number;
  /** After the signals have fired, how long handlers have to hear them. Whoever does not is found by the stalled check. */
  readonly obeyWithinMs?: number;
}

export interface TierWorker {
  readonly tier: Tier;
  readonly concurrency: number;
  /** Jobs that are being handled now. */
  readonly running: number;
  /** When a job was last taken or finished, in ms since 1970; at first, when the worker was started. */
  readonly lastActivityAt: number;
  /**
   * Takes no more jobs. Those that run make way at their next checkpoint; what has not ended after `graceMs` is stopped by
   * its signal and given back.
   */
  close(graceMs: number): Promise<void>;
}

const turnsOfThisProcess = createTurns();

/** Consumes one tier's queue until it is closed. Survives outages of Redis. */
export function startTierWorker(options: TierWorkerOptions): TierWorker {
  const { tier, concurrency, logger, metrics } = options;
  const running = createRunningJobs();
  const { desk } = options;
  const suspects = createSuspects(
    tier,
    desk && {
      begin: (id) => desk.countLoneStart(tier, id, 1),
      end: async (id) => void (await desk.countLoneStart(tier, id, -1)),
    },
    turnsOfThisProcess,
  );
  let lastActivityAt = Date.now();
  let closing = false;
  const address = redisAddress(options.url, options.prefix);
  const worker = new Worker(
    queueName(tier),
    async (job, token) => {
      lastActivityAt = Date.now();
      await processJob({ ...options, running, suspects, isClosing: () => closing }, job, token).finally(() => {
        lastActivityAt = Date.now();
      });
    },
    {
      connection: {
        ...address.options,
        url: address.url,
        maxRetriesPerRequest: null,
        retryStrategy: retryDelayMs,
        keepAlive: 10_000,
        socketTimeout: socketTimeoutMs,
      },
      prefix: options.prefix,
      concurrency,
      maxStalledCount: options.maxStalledCount ?? 100,
      lockDuration: options.lockMs ?? 15_000,
      stalledInterval: options.stalledCheckMs ?? 5_000,
      // How soon an outcome that could not be reported is reported again; 15 s by default.
      runRetryDelay: 1000,
    },
  );
  worker.on('lockRenewalFailed', (ids) => running.loseLocks(ids));
  worker.on('stalled', (jobId) => {
    metrics.jobStalled(tier);
    logger.warn('a job lost its worker and is handed out again', { tier, queueId: jobId });
  });
  const { guestPlaces: places = 0, obeyWithinMs = 3000 } = options;
  const guests =
    desk && places > 0 ? startGuests({ worker, tier, desk, running, concurrency, places, logger }) : undefined;
  const say = throttled((error: Error) => logger.warn('queue error', { tier, error: error.message }), 10_000);
  worker.on('error', say);

  return {
    tier,
    concurrency,
    get running() {
      return running.size;
    },
    get lastActivityAt() {
      return lastActivityAt;
    },
    async close(graceMs) {
      closing = true;
      const closed = closeWorker(worker, guests);
      if (await endsWithin(closed, graceMs)) return;
      running.stopAll();
      if (await endsWithin(closed, obeyWithinMs)) return;
      logger.warn('a step did not stop; it goes on elsewhere once its lock has run out', {
        tier,
        running: running.size,
      });
      await desk
        ?.forgiveStall(tier, running.ids)
        .catch((error: unknown) =>
          logger.warn('the queue is away: the end of this worker counts as a death of its steps', { tier, error }),
        );
      // ioredis never tells of the end of a connection that is told to end between two attempts to make it anew.
      await endsWithin(worker.disconnect(), obeyWithinMs);
    },
  };
}

/** A worker that is closed reports no more outcomes: those of its guests come before, and nothing new is taken meanwhile. */
async function closeWorker(worker: Worker, guests: Guests | undefined): Promise<void> {
  await worker.pause(true);
  await guests?.close();
  await worker.close();
}

interface Hands {
  readonly running: ReturnType<typeof createRunningJobs>;
  readonly suspects: ReturnType<typeof createSuspects>;
  readonly isClosing: () => boolean;
}

async function processJob(options: TierWorkerOptions & Hands, job: Job, token: string | undefined): Promise<void> {
  const { tier, handle, logger, metrics, running, suspects } = options;
  // A place that was waiting for a job when the worker began to close still gets the next one, often the one just put back.
  if (options.isClosing()) return makeWayFor(options, job, token);
  const parsed = parseJob(job, tier, logger);
  if (!parsed) {
    metrics.jobAttempt(tier, 'failed', 0);
    throw new UnrecoverableError('The job is not one of this tier, or its payload does not match its schema.');
  }
  const waitedMs = Math.max(0, job.processedOn! - job.timestamp - (job.opts.delay ?? 0));
  // Later deliveries have waited on purpose.
  if (job.attemptsStarted <= 1) metrics.jobWaited(tier, waitedMs / 1000);
  const attempt = job.attemptsMade + 1;
  const lastAttempt = attempt >= job.opts.attempts!;
  const { stalls, leave } = await suspects.enter({ id: job.id!, stalled: job.stalledCounter });
  const run = running.start(job.id!, jobRegistry[parsed.name].runningMs, turnOf(job));
  const startedAt = performance.now();
  const count = (outcome: Parameters<Metrics['jobAttempt']>[1]) =>
    metrics.jobAttempt(tier, outcome, (performance.now() - startedAt) / 1000);
  try {
    const makeWay = createMakeWay(options, job);
    const traceparent = job.opts.telemetry?.metadata;
    await handle(parsed, { attempt, lastAttempt, waitedMs, stalls, makeWay, traceparent, signal: run.signal });
    count('succeeded');
  } catch (thrown) {
    // Every delivery that used up no attempt was a wait, or lost its process: a little longer a pause does no harm there.
    const action = queueActionFor(thrown, job.attemptsStarted - job.attemptsMade - 1);
    if (action.kind !== 'yield') count(action.outcome);
    if (action.kind === 'fail') throw new UnrecoverableError((thrown as Error).message);
    if (action.kind === 'retry') throw thrown;
    if (action.kind === 'yield') return await makeWayFor(options, job, token);
    await job.moveToDelayed(Date.now() + action.afterMs, token);
    throw new DelayedError();
  } finally {
    run.end();
    await leave();
  }
}

/** Undefined, and logged, where this is no job of the tier. */
function parseJob(job: Job, tier: Tier, logger: Logger): HandledJob | undefined {
  const fields = { tier, queueId: job.id, name: job.name };
  if (!isJobName(job.name) || jobRegistry[job.name].tier !== tier) {
    logger.error('a job of an unknown kind was dropped', fields);
    return undefined;
  }
  const parsed = jobRegistry[job.name].payload.safeParse(job.data);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.code}`);
    logger.error('a job with a malformed payload was dropped', { ...fields, faults });
    return undefined;
  }
  // Name and schema come from the same entry of the registry.
  return { name: job.name, payload: parsed.data } as HandledJob;
}

async function endsWithin(promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  return Promise.race([promise.then(() => true as const), late]).finally(() => clearTimeout(timer));
}
