import { afterEach, expect, jest, test } from '@jest/globals';
import { withRedis } from '../redis/connection.ts';
import { openSharedLayer, type SharedLayer } from './shared-layer.ts';

const url = process.env.TEST_REDIS_URL ?? '';
let layers = 0;
let layer: SharedLayer;
function open(holdMs?: number): SharedLayer {
  layers += 1;
  layer = openSharedLayer({ url, prefix: `layer-test-${process.pid}-${layers}`, ...(holdMs ? { holdMs } : {}) });
  return layer;
}
afterEach(async () => {
  jest.useRealTimers();
  await layer.close();
});

const tag = 'an-area';
const put = async (key: string) => (await layer.claim(tag, key))?.store('value', 60_000);
const entryOf = (key: string) => `${layer.root}:${layer.entryKeyOf(tag, key)}`;

test('an area that has too many entries keeps the youngest', async () => {
  const { redis, root } = open();
  await put('old');
  const index = `${root}:{${tag}}:index`;
  const later = Date.now() + 3_600_000;
  await withRedis(redis, () =>
    redis.zadd(index, ...Array.from({ length: 1999 }, (_, at) => [later, `other ${at}`]).flat()),
  );
  expect(await put('new')).toBe(true);
  expect(await redis.exists(entryOf('old'), entryOf('new'))).toBe(1);
  expect([await redis.zcard(index), await redis.zscore(index, 'old')]).toEqual([2000, null]);
});

test('a claim that is neither used nor given back is renewed for a while, and then free', async () => {
  const holdMs = 60_000;
  const { redis, root } = open(holdMs);
  await withRedis(redis, () => redis.ping());
  jest.useFakeTimers({
    doNotFake: ['Date', 'nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout'],
  });
  await layer.claim(tag, 'k');
  const heldUntil = async () => Number((await redis.hget(`${root}:{${tag}}:claims`, 'k'))?.split(' ')[0]);
  const first = await heldUntil();
  // Renewed within the same millisecond it would be held no longer.
  while (Date.now() + holdMs <= first) await new Promise((resolve) => setTimeout(resolve, 1));
  jest.advanceTimersByTime(holdMs / 3);
  while ((await heldUntil()) === first);
  jest.advanceTimersByTime(9 * 60_000);
  expect(jest.getTimerCount()).toBe(1);
  jest.advanceTimersByTime(60_000);
  expect(jest.getTimerCount()).toBe(0);
});

/** A server that says so many times that it has removed nothing, and keeps what it has. */
function keepEntries(redis: SharedLayer['redis'], times: number): void {
  const unlink = redis.unlink.bind(redis) as typeof redis.unlink;
  let left = times;
  redis.unlink = ((...keys: Parameters<typeof unlink>) => {
    left -= 1;
    return left >= 0 ? Promise.resolve(0) : unlink(...keys);
  }) as typeof redis.unlink;
}

test('an area is cleared until nothing of it is left', async () => {
  const { redis } = open();
  await put('k');
  keepEntries(redis, 1);
  redis.zrem = (() => Promise.resolve(0)) as typeof redis.zrem;
  expect(await layer.clear(tag)).toEqual({ keys: new Set(['k']), removed: 1 });
  expect(await redis.exists(entryOf('k'))).toBe(0);
});

test('an area that cannot be cleared is told, and never said to be empty', async () => {
  const { redis } = open();
  await put('k');
  keepEntries(redis, 100);
  redis.zrem = (() => Promise.resolve(0)) as typeof redis.zrem;
  await expect(layer.clear(tag)).rejects.toMatchObject({ code: 'dependency_unavailable' });
});
