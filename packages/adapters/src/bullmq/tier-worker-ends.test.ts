import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { jobRegistry } from '@semantic-memory/shared/contracts/jobs';
import { othersGoFirst } from '@semantic-memory/shared/ingest/step';
import { parseJobFor } from '@semantic-memory/shared/testing/job-queue-suite';
import { Queue } from 'bullmq';
import { closeRedis, openRedis, withRedis } from '../redis/connection.ts';
import { openRedisLink } from '../redis/testing/redis-link.ts';
import { createBullmqQueue } from './job-queue.ts';
import { createWorkerBench, gate } from './testing/worker-bench.ts';

/** What becomes of a job in the worker that has it in hand: it loses its lock, makes way, kills, or does not stop. */
const url = process.env.TEST_REDIS_URL ?? '';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  // A worker whose connection was cut has to make it anew before it can take its leave.
}, 60_000);

function createBench() {
  const bench = createWorkerBench(url, closers);
  const redis = openRedis(url, { name: 'test', prefix: 'test' });
  closers.push(() => closeRedis(redis));
  const job = parseJobFor();
  const id = jobRegistry.parse.dedupeId(job.payload as never);
  const key = `${bench.prefix}:ingest.parse:${id}`;
  return { ...bench, redis, job, key };
}

const shortTimes = { lockMs: 400, stalledCheckMs: 200 };

test('a job whose lock was lost is stopped, and goes on without losing an attempt', async () => {
  const { queue, start, redis, job, key, emptied } = createBench();
  await queue.add([job]);
  const seen: unknown[] = [];
  const handle = async (_: unknown, { attempt, signal }: { attempt: number; signal: AbortSignal }) => {
    seen.push(attempt);
    if (seen.length > 1) return;
    await withRedis(redis, () => redis.del(`${key}:lock`));
    await once(signal, 'abort');
    seen.push(signal.reason);
    throw signal.reason;
  };
  start(handle, shortTimes);
  await emptied();
  expect(seen).toEqual([1, expect.objectContaining({ message: 'The lock on the step was lost.' }), 1]);
});

test('a job that makes way gets its place behind those whose turn it is, and the worker says when it was last active', async () => {
  const { queue, start, job, emptied } = createBench();
  const startedAt = Date.now();
  await queue.add([job]);
  const seen: string[] = [];
  const worker = start(
    async ({ payload }, { makeWay }) => {
      const { tenant } = payload as { tenant: string };
      seen.push(tenant);
      if (tenant !== job.payload.tenant || seen.length > 1) return;
      const other = parseJobFor();
      await queue.add([{ ...other, payload: { ...other.payload, tenant: 'another' } }]);
      expect(await makeWay()).toBe(true);
      throw othersGoFirst();
    },
    { desk: queue, sliceMs: 0, concurrency: 1 },
  );
  await emptied();
  expect(seen).toEqual([job.payload.tenant, 'another', job.payload.tenant]);
  expect(worker.lastActivityAt).toBeGreaterThanOrEqual(startedAt);
});

test('a suspect hears how many deaths are held against it, and an end that was none takes its start back', async () => {
  const { queue, start, redis, job, key, emptied } = createBench();
  await queue.add([job]);
  await withRedis(redis, () => redis.hset(key, { stc: 2, loneStarts: 1 }));
  const seen: unknown[] = [];
  start(
    async (_, { stalls }) => {
      seen.push(stalls, await redis.hget(key, 'loneStarts'));
      if (seen.length === 2) throw new Error('once more');
    },
    { desk: queue },
  );
  await emptied();
  // The start that did not end, of the process that died, counts beside the two stalls.
  expect(seen).toEqual([3, '2', 3, '2']);
});

test('a job that another program has put there, with nothing but its payload, is served', async () => {
  const { prefix, start, job, emptied } = createBench();
  const raw = new Queue('ingest.parse', { connection: { url }, prefix });
  closers.push(() => raw.close());
  await raw.add('parse', job.payload, { removeOnComplete: true });
  const seen: unknown[] = [];
  start(async (_, { attempt, lastAttempt, waitedMs }) => void seen.push([attempt, lastAttempt, waitedMs >= 0]));
  await emptied();
  expect(seen).toEqual([[1, true, true]]);
});

test('a job that does not stop is left behind, and no death is held against it', async () => {
  const { queue, start, redis, job, key, logged } = createBench();
  const [started, release] = [gate(), gate()];
  await queue.add([job]);
  const worker = start(
    async () => {
      started.resolve();
      await release.promise;
    },
    { desk: queue, obeyWithinMs: 10 },
  );
  await started.promise;
  await worker.close(1);
  expect(logged).toContain('a step did not stop; it goes on elsewhere once its lock has run out');
  expect(await withRedis(redis, () => redis.hget(key, 'stc'))).toBe('-1');
  release.resolve();
});

test('a job that does not stop while the queue is away is left behind all the same, and that is logged', async () => {
  const { prefix, queue, start, job, logged } = createBench();
  const link = await openRedisLink(url);
  const desk = createBullmqQueue({ url: link.url, prefix });
  closers.push(
    () => link.close(),
    () => desk.close(),
  );
  const [started, release] = [gate(), gate()];
  await queue.add([job]);
  const worker = start(
    async () => {
      started.resolve();
      await release.promise;
    },
    { desk, obeyWithinMs: 10 },
  );
  await started.promise;
  link.cut();
  await worker.close(1);
  expect(logged).toContain('the queue is away: the end of this worker counts as a death of its steps');
  release.resolve();
});

test('a worker that cannot reach Redis says so, once for many errors', async () => {
  const { start, job, queue, logged, emptied } = createBench();
  const link = await openRedisLink(url);
  closers.push(() => link.close());
  let handled = 0;
  const handle = async () => {
    handled += 1;
  };
  start(handle, { url: link.url });
  await queue.add([job]);
  await emptied();
  link.cut();
  while (!logged.includes('queue error')) await new Promise(setImmediate);
  link.restore();
  await queue.add([parseJobFor()]);
  await emptied();
  expect(handled).toBe(2);
  expect(logged.filter((line) => line === 'queue error').length).toBeLessThan(3);
});
