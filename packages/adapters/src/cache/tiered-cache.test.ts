import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Namespace } from '@semantic-memory/shared/contracts/model/ids';
import type { Cache } from '@semantic-memory/shared/ports/cache';
import { systemClock } from '@semantic-memory/shared/ports/clock';
import { createResultCache, type Remembered } from '@semantic-memory/shared/search/result-cache';
import { cacheSuite } from '@semantic-memory/shared/testing/cache-suite';
import { Redis } from 'ioredis';
import type { BreakerState } from '../breaker/breaker.ts';
import { openRedisLink } from '../redis/testing/redis-link.ts';
import { createCacheClearing } from './cache-clearing.ts';
import { createTieredCache, type TieredCacheOptions } from './tiered-cache.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const prefix = `cache-test-${process.pid}`;
const redis = new Redis(url);
const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
  await redis.quit();
});

/** The cache of one process, with what it counted. */
async function open(options: Partial<TieredCacheOptions> = {}) {
  const counted: string[] = [];
  const states: BreakerState[] = [];
  const metrics = { cacheRequest: (layer: string, result: string) => void counted.push(`${layer} ${result}`) };
  const onBreakerState = (state: BreakerState) => void states.push(state);
  const cache = createTieredCache({
    ...{ url, prefix, localBytes: 1e7, sharedBytes: 1e8, metrics, onBreakerState },
    ...options,
  });
  closers.push(() => cache.close());
  await eventually(() =>
    cache.check().then(
      () => true,
      () => false,
    ),
  );
  return { cache, counted, states };
}

let suiteCache: Cache;
beforeAll(async () => {
  suiteCache = (await open()).cache;
});
cacheSuite('the cache in two layers', () => suiteCache);

const times = { freshMs: 60_000, graceMs: 60_000 };
let areas = 0;
function freshArea() {
  areas += 1;
  return { tenant: `two-${process.pid}-${areas}`, namespace: 'default' };
}
type Area = ReturnType<typeof freshArea>;

async function put(
  { cache }: Awaited<ReturnType<typeof open>>,
  area: Area,
  key: string,
  value: unknown,
): Promise<void> {
  await (await cache.claim(area, key))?.store(value, times);
}

async function eventually(isSo: () => Promise<boolean> | boolean, withinMs = 5000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('it never came to that');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** All text that Redis holds of an area's cache. */
async function stored(text: string): Promise<string[]> {
  const keys = await redis.keys(`${prefix}:*:e:*`);
  const values = keys.length > 0 ? await redis.mget(keys) : [];
  return values.filter((value): value is string => value?.includes(text) ?? false);
}

test('what one process stored another finds: first in the shared layer, then in its own memory', async () => {
  const [one, two] = [await open(), await open()];
  const area = freshArea();
  await two.cache.get(area, 'k');
  await put(one, area, 'k', 'pines');
  expect((await one.cache.get(area, 'k'))?.value).toBe('pines');
  expect((await two.cache.get(area, 'k'))?.value).toBe('pines');
  expect((await two.cache.get(area, 'k'))?.value).toBe('pines');
  expect(one.counted).toEqual(['l1 hit']);
  expect(two.counted).toEqual(['l1 miss', 'l2 miss', 'l1 miss', 'l2 hit', 'l1 hit']);
});

test('200 cold requests to two processes make one call of the origin', async () => {
  const results = [await open(), await open()].map(({ cache }) =>
    createResultCache({ cache, clock: systemClock, freshMs: 60_000, embeddingFreshMs: 60_000, graceMs: 0 }),
  );
  const what: Remembered<string> = {
    ...{ area: freshArea(), kind: 'search', of: { query: 'pines' }, generation: 'g', schema: Namespace },
  };
  let calls = 0;
  const compute = async () => {
    calls += 1;
    await new Promise((resolve) => setTimeout(resolve, 60));
    return { value: 'green', keep: true };
  };
  const asked = Array.from({ length: 200 }, (_, at) => results[at % 2]?.remember(what, compute));
  const found = await Promise.all(asked);
  expect(calls).toBe(1);
  expect(found.every((each) => each?.value === 'green')).toBe(true);
});

test('a claim outlives slow work, and ends with the process that had it', async () => {
  const holdMs = 300;
  const link = await openRedisLink(url);
  closers.push(() => link.close());
  const [one, two] = [await open({ url: link.url, holdMs }), await open({ holdMs })];
  const area = freshArea();
  const claim = await one.cache.claim(area, 'slow');
  await new Promise((resolve) => setTimeout(resolve, holdMs * 2));
  expect(await two.cache.claim(area, 'slow')).toBeUndefined();
  await claim?.store('done', times);
  expect((await two.cache.get(area, 'slow'))?.value).toBe('done');

  const lost = await one.cache.claim(area, 'lost');
  link.cut();
  await eventually(async () => (await two.cache.claim(area, 'lost')) !== undefined);
  await lost?.release();
});

test('what was cleared is gone from Redis and from the memory of every process', async () => {
  const [one, two] = [await open(), await open()];
  const area = freshArea();
  const other = freshArea();
  for (let at = 0; at < 600; at += 1) await put(one, area, `k${at}`, `secret-${process.pid} ${at}`);
  await put(one, other, 'k', `secret-${process.pid} of another`);
  await two.cache.get(area, 'k1');
  await two.cache.get(other, 'k');
  expect(await stored(`secret-${process.pid}`)).toHaveLength(601);
  expect(await two.cache.clear(area)).toBe(600);
  expect(await stored(`secret-${process.pid}`)).toHaveLength(1);
  for (const { cache } of [one, two]) expect(await cache.get(area, 'k1')).toBeUndefined();
  expect((await one.cache.get(other, 'k'))?.value).toContain('another');
  // From the memory of the process that did not clear: with the shared layer out of the question.
  const link = await openRedisLink(url);
  closers.push(() => link.close());
  const apart = await open({ url: link.url });
  await put(apart, area, 'k', 'again');
  const clearing = createCacheClearing({ url, prefix });
  closers.push(() => clearing.close());
  expect(await clearing.clear(area)).toBe(1);
  // The news is on its way; it must not be lost to a cut that comes at the same time.
  await eventually(async () => (await apart.cache.get(area, 'k')) === undefined);
  link.cut();
  expect(await apart.cache.get(area, 'k')).toBeUndefined();
});

test('what another process began before a clear is stored nowhere', async () => {
  const [one, two] = [await open(), await open()];
  const area = freshArea();
  const claim = await one.cache.claim(area, 'k');
  await two.cache.clear(area);
  await claim?.store(`late-${process.pid}`, times);
  expect(await stored(`late-${process.pid}`)).toEqual([]);
  expect(await one.cache.get(area, 'k')).toBeUndefined();
});

test('while the shared layer is away each process has its own memory, says so, and shares again after', async () => {
  const link = await openRedisLink(url);
  closers.push(() => link.close());
  const one = await open({ url: link.url });
  const two = await open();
  const area = freshArea();
  await put(one, area, 'before', 'shared');
  link.cut();
  expect((await one.cache.get(area, 'before'))?.value).toBe('shared');
  await put(one, area, 'k', 'mine alone');
  expect((await one.cache.get(area, 'k'))?.value).toBe('mine alone');
  expect(await one.cache.get(area, 'nothing')).toBeUndefined();
  expect(one.counted).toContain('l2 error');
  await eventually(async () => {
    await one.cache.get(area, 'nothing');
    return one.states.includes('open');
  });
  // Known to be away it is not asked: 100 look-ups that each wait for a connection take 40 s.
  const startedAt = performance.now();
  for (let at = 0; at < 100; at += 1) await one.cache.get(area, `nothing-${at}`);
  expect(performance.now() - startedAt).toBeLessThan(5000);
  await expect(one.cache.clear(area)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(await two.cache.get(area, 'k')).toBeUndefined();
  link.restore();
  await eventually(() => one.states.at(-1) === 'closed');
  await put(one, area, 'after', 'shared again');
  expect((await two.cache.get(area, 'after'))?.value).toBe('shared again');
}, 20_000);

test('a frozen shared layer holds a look-up up for less than half a second', async () => {
  const link = await openRedisLink(url);
  closers.push(() => link.close());
  const one = await open({ url: link.url });
  const area = freshArea();
  await put(one, area, 'k', 'here');
  link.freeze();
  const startedAt = performance.now();
  expect(await one.cache.get(area, 'cold')).toBeUndefined();
  expect(performance.now() - startedAt).toBeLessThan(500);
  expect((await one.cache.get(area, 'k'))?.value).toBe('here');
});

test('memory is bounded here and in the shared layer, and by namespace', async () => {
  const one = await open({ localBytes: 100_000, sharedBytes: 50_000 });
  const area = freshArea();
  const value = `${'x'.repeat(4000)}`;
  for (let at = 0; at < 40; at += 1) await put(one, area, `k${at}`, value);
  const keys = await redis.keys(`${prefix}:*:e:k*`);
  const kept = (await redis.mget(keys)).filter((each) => each?.includes(value));
  expect(kept.length).toBeGreaterThan(8);
  expect(kept.length).toBeLessThanOrEqual(12);
  let here = 0;
  for (let at = 0; at < 40; at += 1) if ((await one.cache.get(area, `k${at}`))?.value === value) here += 1;
  expect(here).toBeGreaterThanOrEqual(10);
  expect(here).toBeLessThan(35);
});
