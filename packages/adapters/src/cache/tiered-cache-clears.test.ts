import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createTieredCache, type TieredCacheOptions } from './tiered-cache.ts';

/** What a process does with what it knows when others clear, or when it does not hear that they do. */
const url = process.env.TEST_REDIS_URL ?? '';
const prefix = `cache-clears-test-${process.pid}`;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function open(options: Partial<TieredCacheOptions> = {}) {
  const metrics = { cacheRequest: () => {} };
  const cache = createTieredCache({ url, prefix, localBytes: 1e7, sharedBytes: 1e8, metrics, ...options });
  closers.push(() => cache.close());
  return cache;
}

async function eventually(isSo: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const done = await isSo().then(
      () => true,
      () => false,
    );
    if (done) return;
  }
}

test('what was on its way when its area was cleared is not given out, and not kept', async () => {
  const [first, second] = [open(), open()];
  await Promise.all([first, second].map((cache) => eventually(() => cache.check())));
  const area = { tenant: 't', namespace: randomUUID() };
  await (await first.claim(area, 'k'))?.store('pines', { freshMs: 60_000, graceMs: 0 });
  // The look-up is sent before the entry is removed, and answered after the clearing has begun.
  const [found, cleared] = await Promise.all([second.get(area, 'k'), second.clear(area)]);
  expect([found, cleared]).toEqual([undefined, 1]);
  expect(await second.get(area, 'k')).toBeUndefined();
});

test('a process that may not listen to what is cleared says so, and does not count as ready', async () => {
  const admin = new Redis(url);
  const user = `deaf-${process.pid}`;
  await admin.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '+@all', 'resetchannels');
  closers.push(async () => {
    await admin.call('ACL', 'DELUSER', user);
    await admin.quit();
  });
  const { promise: warned, resolve } = Promise.withResolvers<string>();
  const ignore = () => {};
  const logger = { debug: ignore, info: ignore, warn: resolve, error: ignore, child: () => logger };
  const address = new URL(url);
  address.username = user;
  address.password = 'secret';
  const cache = open({ url: address.href, logger });
  expect(await warned).toBe('the cache does not hear what is cleared');
  await expect(cache.check()).rejects.toMatchObject({ code: 'dependency_unavailable' });
});
