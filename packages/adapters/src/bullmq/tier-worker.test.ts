import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { tiers } from '@semantic-memory/shared/contracts/jobs';
import { othersGoFirst } from '@semantic-memory/shared/ingest/step';
import { parseJobFor } from '@semantic-memory/shared/testing/job-queue-suite';
import { Queue } from 'bullmq';
import { openRedisLink } from '../redis/testing/redis-link.ts';
import { createWorkerBench, gate } from './testing/worker-bench.ts';
import type { JobContext, TierWorkerOptions } from './tier-worker.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const createBench = () => createWorkerBench(url, closers);

test('the span that sent a job comes with it, also when it is delivered again', async () => {
  const bench = createBench();
  const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
  await bench.queue.add([parseJobFor(undefined, { traceparent })]);
  const seen: unknown[] = [];
  bench.start(async (_, { traceparent: sentBy, attempt }) => {
    seen.push([sentBy, attempt]);
    if (attempt === 1) throw new Error('once more');
  });
  await bench.emptied();
  await bench.queue.add([parseJobFor()]);
  await bench.emptied();
  expect(seen).toEqual([
    [traceparent, 1],
    [traceparent, 2],
    [undefined, 1],
    [undefined, 2],
  ]);
});

test('a job reaches the handler once, parsed, and leaves nothing behind', async () => {
  const bench = createBench();
  const job = parseJobFor();
  const seen: unknown[] = [];
  await bench.queue.add([job, job]);
  bench.start(async ({ name, payload }, { attempt, lastAttempt, waitedMs, signal }) => {
    seen.push([name, payload, attempt, lastAttempt, waitedMs >= 0, signal.aborted]);
  });
  await bench.emptied();
  expect(seen).toEqual([['parse', job.payload, 1, false, true, false]]);
  expect(bench.counted).toEqual(['jobWaited parse', 'jobAttempt parse succeeded']);
  expect((await bench.queue.counts()).map((count) => count.tier)).toEqual([...tiers]);
  // Its id is free again: the same step can be queued anew.
  await bench.queue.add([job]);
  await bench.emptied();
  expect(seen).toHaveLength(2);
});

test('jobs of high priority come first, of low priority last', async () => {
  const bench = createBench();
  const order = ['low', 'normal', 'high', undefined, 'low', 'high'] as const;
  for (const [version, priority] of order.entries()) {
    const job = parseJobFor(undefined, priority ? { priority } : {});
    await bench.queue.add([{ ...job, payload: { ...job.payload, version: version + 1 } }]);
  }
  const seen: unknown[] = [];
  const handle: TierWorkerOptions['handle'] = async (job) => {
    seen.push((job.payload as { version: number }).version);
  };
  bench.start(handle, { concurrency: 1 });
  await bench.emptied();
  expect(seen).toEqual([3, 6, 2, 4, 1, 5]);
});

test('a fault of ours is tried again with growing pauses, as often as the registry says', async () => {
  const bench = createBench();
  const seen: { attempt: number; last: boolean; at: number }[] = [];
  await bench.queue.add([parseJobFor()]);
  bench.start(async (_, { attempt, lastAttempt }) => {
    seen.push({ attempt, last: lastAttempt, at: Date.now() });
    if (attempt < 3) throw new Error('not this time');
  });
  await bench.emptied();
  expect(seen.map(({ attempt, last }) => [attempt, last])).toEqual([
    [1, false],
    [2, false],
    [3, false],
  ]);
  const [first = 0, second = 0, third = 0] = seen.map(({ at }) => at);
  expect(second - first).toBeGreaterThanOrEqual(495);
  expect(third - second).toBeGreaterThanOrEqual(995);
  expect(bench.counted.filter((line) => line.startsWith('jobWaited'))).toHaveLength(1);
});

test('waiting for a dependency uses up no attempt, however often', async () => {
  const bench = createBench();
  const attempts: number[] = [];
  await bench.queue.add([parseJobFor()]);
  bench.start(async (_, { attempt }) => {
    attempts.push(attempt);
    if (attempts.length <= 8) {
      throw new MemoryError('dependency_unavailable', 'away', { retry: { kind: 'wait', afterMs: 5 } });
    }
  });
  await bench.emptied();
  // The registry allows five attempts.
  expect(attempts).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1]);
  expect(bench.counted.filter((line) => line === 'jobAttempt parse waiting')).toHaveLength(8);
});

test('an error that trying again cannot help ends the job at once', async () => {
  const bench = createBench();
  let calls = 0;
  await bench.queue.add([parseJobFor()]);
  bench.start(async () => {
    calls += 1;
    throw new MemoryError('encrypted_document', 'locked');
  });
  await bench.emptied();
  expect(calls).toBe(1);
  expect(bench.counted).toContain('jobAttempt parse rejected');
});

test('a malformed job is dropped, logged and counted, and the next one is served', async () => {
  const bench = createBench();
  const raw = new Queue('ingest.parse', { connection: { url }, prefix: bench.prefix });
  closers.push(() => raw.close());
  const options = { removeOnFail: true, attempts: 5 };
  await raw.add('parse', { schemaVersion: 1, tenant: 't' }, options);
  await raw.add('made-up', {}, options);
  await raw.add('embed', parseJobFor().payload, options);
  await bench.queue.add([parseJobFor()]);
  let handled = 0;
  bench.start(async () => {
    handled += 1;
  });
  await bench.emptied();
  expect(handled).toBe(1);
  expect(bench.counted.filter((line) => line === 'jobAttempt parse failed')).toHaveLength(3);
  expect(bench.logged.filter((line) => line.includes('dropped'))).toHaveLength(3);
});

const shortTimes = { lockMs: 400, stalledCheckMs: 200 };

/** A worker in a process of its own that has taken a job and holds on to it. */
async function startHolding(prefix: string) {
  const script = fileURLToPath(new URL('./testing/holding-worker.ts', import.meta.url));
  const times = [shortTimes.lockMs, shortTimes.stalledCheckMs].map(String);
  const child = spawn(process.execPath, ['--conditions=development', script, url, prefix, ...times], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('the job of a process that was killed is handed out again, and that is no attempt', async () => {
  const bench = createBench();
  await bench.queue.add([parseJobFor()]);
  const child = await startHolding(bench.prefix);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const seen: unknown[] = [];
  const handle = async (_: unknown, { attempt, stalls }: JobContext) => void seen.push([attempt, stalls]);
  bench.start(handle, shortTimes);
  await bench.emptied();
  expect(seen).toEqual([[1, 1]]);
  expect(bench.counted).toContain('jobStalled parse');
}, 20_000);

test('closing lets a running job finish and takes no other', async () => {
  const bench = createBench();
  const [started, release] = [gate(), gate()];
  let finished = 0;
  await bench.queue.add([parseJobFor(), parseJobFor()]);
  const worker = bench.start(
    async () => {
      started.resolve();
      await release.promise;
      finished += 1;
    },
    { concurrency: 1 },
  );
  await started.promise;
  const closed = worker.close(10_000);
  release.resolve();
  await closed;
  expect(finished).toBe(1);
  expect((await bench.queue.counts()).find((count) => count.tier === 'parse')).toMatchObject({ waiting: 1, active: 0 });
});

test('a long job makes way to a worker that closes, and goes on in another without losing an attempt', async () => {
  const bench = createBench();
  const [started, release] = [gate(), gate()];
  await bench.queue.add([parseJobFor()]);
  const asked: (boolean | undefined)[] = [];
  const worker = bench.start(async (_, { makeWay }) => {
    asked.push(await makeWay?.());
    started.resolve();
    await release.promise;
    asked.push(await makeWay?.());
    throw othersGoFirst();
  });
  await started.promise;
  const closed = worker.close(10_000);
  release.resolve();
  await closed;
  expect(asked).toEqual([false, true]);
  const seen: unknown[] = [];
  bench.start(async (_, { attempt, stalls }) => void seen.push([attempt, stalls]));
  await bench.emptied();
  expect(seen).toEqual([[1, 0]]);
});

test('a job that outlasts the grace is stopped and goes on in another worker without losing an attempt', async () => {
  const bench = createBench();
  const started = gate();
  let reason: unknown;
  await bench.queue.add([parseJobFor()]);
  const worker = bench.start(async (_, { signal }) => {
    started.resolve();
    await once(signal, 'abort');
    reason = signal.reason;
    signal.throwIfAborted();
  });
  await started.promise;
  await worker.close(50);
  expect(reason).toMatchObject({ code: 'dependency_unavailable', retry: { kind: 'elsewhere' } });
  const seen: number[] = [];
  bench.start(async (_, { attempt }) => void seen.push(attempt));
  await bench.emptied();
  expect(seen).toEqual([1]);
});

test('a job that does not stop when its worker is told to end goes on in another, and that is no death of it', async () => {
  const bench = createBench();
  await bench.queue.add([parseJobFor()]);
  for (let restart = 1; restart <= 2; restart += 1) {
    const child = await startHolding(bench.prefix);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }
  const seen: unknown[] = [];
  bench.start(async (_, { attempt, stalls }) => void seen.push([attempt, stalls]), shortTimes);
  await bench.emptied();
  expect(seen).toEqual([[1, 0]]);
}, 60_000);

/** Jobs of a tenant. */
const jobsOf = (tenant: string, count: number) =>
  Array.from({ length: count }, () => {
    const job = parseJobFor();
    return { ...job, payload: { ...job.payload, tenant } };
  });

test('where one tenant has all places another gets one beside them, and the first gets no more for it', async () => {
  const bench = createBench();
  await bench.queue.add(jobsOf('large', 20));
  const [full, release, served] = [gate(), gate(), gate()];
  let large = 0;
  const handle: TierWorkerOptions['handle'] = async ({ payload }) => {
    if ((payload as { tenant: string }).tenant === 'small') return served.resolve();
    large += 1;
    if (large === 4) full.resolve();
    await release.promise;
  };
  bench.start(handle, { concurrency: 4, guestPlaces: 3, desk: bench.queue });
  await full.promise;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(large).toBe(4);
  await bench.queue.add(jobsOf('small', 1));
  await served.promise;
  expect(large).toBe(4);
  release.resolve();
  await bench.emptied();
});

test('a worker that closes waits for what it has taken beside its places', async () => {
  const bench = createBench();
  await bench.queue.add(jobsOf('large', 3));
  const [served, release] = [gate(), gate()];
  let ended = 0;
  const handle: TierWorkerOptions['handle'] = async ({ payload }) => {
    if ((payload as { tenant: string }).tenant === 'small') served.resolve();
    await release.promise;
    ended += 1;
  };
  const worker = bench.start(handle, { concurrency: 1, guestPlaces: 2, desk: bench.queue });
  await bench.queue.add(jobsOf('small', 1));
  await served.promise;
  const begun = worker.running;
  const closed = worker.close(10_000);
  release.resolve();
  await closed;
  expect(ended).toBe(begun);
  expect((await bench.queue.counts()).find((count) => count.tier === 'parse')).toMatchObject({
    waiting: 4 - begun,
    active: 0,
  });
});

test('a worker that was cut off from Redis goes on by itself', async () => {
  const bench = createBench();
  const link = await openRedisLink(url);
  closers.push(() => link.close());
  const handled = [gate(), gate()];
  let count = 0;
  bench.start(async () => handled[count++]?.resolve(), { url: link.url });
  await bench.queue.add([parseJobFor()]);
  await handled[0]?.promise;
  link.cut();
  await bench.queue.add([parseJobFor()]);
  link.restore();
  const restoredAt = Date.now();
  await handled[1]?.promise;
  expect(Date.now() - restoredAt).toBeLessThan(10_000);
  await bench.emptied();
}, 20_000);
