import { once } from 'node:events';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { freshScope, jobOf } from '@semantic-memory/shared/testing/ledger-fixtures';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { ledgerKeys } from './keys.ts';
import { createRedisLedger } from './ledger.ts';
import { createRecovery } from './recovery.ts';
import { interruptedRedis } from './testing/interrupted-redis.ts';
import { openRedisLink } from './testing/redis-link.ts';

/** The right to rebuild: how it is kept, and what happens to whoever loses it. */
const url = process.env.TEST_REDIS_URL ?? '';
const closers: (() => Promise<unknown>)[] = [];
// Only what renews the right: all else speaks to a server in real time.
beforeEach(() => {
  jest.useFakeTimers({
    doNotFake: [
      'Date',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setTimeout',
      'clearTimeout',
    ],
  });
});
afterEach(async () => {
  jest.useRealTimers();
  for (const close of closers.splice(0).reverse()) await close();
});

const renewEveryMs = 5000;

let benches = 0;
async function createBench() {
  benches += 1;
  const prefix = `rights-test-${process.pid}-${benches}`;
  const link = await openRedisLink(url);
  const redis = openRedis(url, { name: 'test', prefix: 'test' });
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  const [ledger, other] = [createRedisLedger({ url: link.url, prefix, logger }), createRedisLedger({ url, prefix })];
  closers.push(
    () => link.close(),
    () => closeRedis(redis),
    () => ledger.close(),
    () => other.close(),
  );
  await withRedis(redis, () => redis.ping());
  return { prefix, link, redis, ledger, other, logged, keys: ledgerKeys(prefix) };
}

const fired = (signal: AbortSignal) => (signal.aborted ? Promise.resolve() : once(signal, 'abort'));

test('the right to rebuild is renewed for as long as the rebuild takes', async () => {
  const { ledger, redis, keys } = await createBench();
  const rebuilt = await ledger.rebuildOnce(async (_, lost) => {
    await redis.pexpire(keys.rebuilder, 6000);
    jest.advanceTimersByTime(renewEveryMs);
    while ((await redis.pttl(keys.rebuilder)) <= 6000);
    expect(lost.aborted).toBe(false);
  });
  expect(rebuilt).toBe(true);
  expect(jest.getTimerCount()).toBe(0);
});

test('a rebuilder whose right another has taken is told to stop', async () => {
  const { ledger, redis, keys } = await createBench();
  let reason: unknown;
  const rebuilding = ledger.rebuildOnce(async (_, lost) => {
    await redis.set(keys.rebuilder, 'another');
    jest.advanceTimersByTime(renewEveryMs);
    await fired(lost);
    reason = lost.reason;
  });
  await expect(rebuilding).rejects.toMatchObject({ code: 'rebuilding' });
  expect(reason).toMatchObject({ code: 'rebuilding' });
  // The other's right is left alone, and so is the ledger that it is about to make.
  expect(await redis.get(keys.rebuilder)).toBe('another');
  expect(await ledger.isWhole()).toBe(false);
});

test('where Redis is away for a moment the rebuild goes on; it ends with what it says itself', async () => {
  const { ledger, link, logged, keys, redis } = await createBench();
  const rebuilding = ledger.rebuildOnce(async (_, lost) => {
    link.cut();
    jest.advanceTimersByTime(renewEveryMs);
    while (!logged.includes('the right to rebuild could not be renewed')) await new Promise(setImmediate);
    expect(lost.aborted).toBe(false);
    throw new Error('the blob store is away');
  });
  await expect(rebuilding).rejects.toThrow('the blob store is away');
  expect(logged).toContain('the right to rebuild runs out by itself');
  expect(await redis.pttl(keys.rebuilder)).toBeGreaterThan(0);
});

test('whoever rebuilds reads what it has restored, and may close what it was given', async () => {
  const { ledger, other } = await createBench();
  const job = jobOf(freshScope(), 'd', 1, { state: 'succeeded' });
  await ledger.rebuildOnce(async (inside) => {
    await inside.restoreJob(job);
    expect(await inside.getJob(job.tenant, job.id)).toEqual(job);
    await expect(other.getJob(job.tenant, job.id)).rejects.toMatchObject({ code: 'rebuilding' });
    await inside.close();
  });
  expect(await ledger.getJob(job.tenant, job.id)).toEqual(job);
});

test('a server that does not say when it was started is a fault that is named', async () => {
  const { redis, keys } = await createBench();
  const silent = interruptedRedis(redis, (name, run) =>
    name === 'info' ? Promise.resolve('redis_version:8\r\n') : run(),
  );
  const recovery = createRecovery(
    { redis: silent, keys },
    {
      open: () => {
        throw new Error('nobody rebuilds');
      },
    },
  );
  await expect(recovery.serverStart()).rejects.toMatchObject({ code: 'internal' });
});
