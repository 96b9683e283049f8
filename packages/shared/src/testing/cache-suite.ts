import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Cache, CacheArea } from '../ports/cache.ts';

const times = { freshMs: 60_000, graceMs: 60_000 };
let areas = 0;
const freshArea = (): CacheArea & { namespace: string } => {
  areas += 1;
  return { tenant: `tenant-${process.pid}-${areas}`, namespace: 'default' };
};

/** What every cache does. The caller closes them. */
export function cacheSuite(name: string, open: () => Cache): void {
  describe(name, () => {
    let cache: Cache;
    let area: CacheArea & { namespace: string };
    beforeEach(() => {
      cache = open();
      area = freshArea();
    });

    async function put(key: string, value: unknown, of: CacheArea = area): Promise<void> {
      const claim = await cache.claim(of, key);
      await claim?.store(value, times);
    }
    const valueAt = async (key: string, of: CacheArea = area) => (await cache.get(of, key))?.value;

    test('what was stored is found as it was, with when that was', async () => {
      const before = Date.now();
      const value = { text: 'Zürich „ß" \u{1f30a}', list: [1, null, { a: true }], empty: '' };
      expect(await cache.get(area, 'k')).toBeUndefined();
      await put('k', value);
      const found = await cache.get(area, 'k');
      expect(found?.value).toEqual(value);
      expect(found?.storedAtMs).toBeGreaterThanOrEqual(before);
      expect(found?.storedAtMs).toBeLessThanOrEqual(Date.now());
      await put('k', 'newer');
      expect(await valueAt('k')).toBe('newer');
    });

    test('areas are apart: tenants, namespaces, and a tenant at large, whatever the characters of their names', async () => {
      const { tenant } = area;
      const others: CacheArea[] = [
        { tenant },
        { tenant, namespace: 'default:x' },
        { tenant: `${tenant}:default`, namespace: 'x' },
        { tenant: `${tenant}*`, namespace: 'default' },
        { tenant: '', namespace: tenant },
      ];
      await put('k', 'mine');
      for (const [index, other] of others.entries()) {
        expect(await valueAt('k', other)).toBeUndefined();
        await put('k', index, other);
      }
      expect(await valueAt('k')).toBe('mine');
      expect(await cache.clear(area)).toBe(1);
      for (const [index, other] of others.entries()) expect(await valueAt('k', other)).toBe(index);
    });

    test('one caller at a time has the claim, until it stores or gives it back', async () => {
      const claims = await Promise.all(Array.from({ length: 20 }, () => cache.claim(area, 'k')));
      const [claim, ...more] = claims.filter((one) => one !== undefined);
      expect(more).toEqual([]);
      expect(await cache.claim(area, 'another')).toBeDefined();
      await claim?.release();
      const next = await cache.claim(area, 'k');
      expect(next?.foundNothing).toBe(true);
      // One that is over ends nobody else's.
      await claim?.release();
      expect(await cache.claim(area, 'k')).toBeUndefined();
      await next?.store(1, times);
      expect((await cache.claim(area, 'k'))?.foundNothing).toBe(false);
    });

    test('an entry is gone when its grace is over', async () => {
      const claim = await cache.claim(area, 'k');
      await claim?.store('soon gone', { freshMs: 40, graceMs: 60 });
      expect(await valueAt('k')).toBe('soon gone');
      const deadline = Date.now() + 2000;
      while ((await valueAt('k')) !== undefined && Date.now() < deadline) await new Promise((r) => setTimeout(r, 10));
      expect(await valueAt('k')).toBeUndefined();
    });

    test('clearing removes all of an area, counts it, and lets nothing in that was begun before', async () => {
      for (const key of ['a', 'b', 'c']) await put(key, 'old');
      const begun = await cache.claim(area, 'd');
      const renewing = await cache.claim(area, 'a');
      expect(await cache.clear(area)).toBe(3);
      await begun?.store('read before', times);
      await renewing?.store('read before', times);
      for (const key of ['a', 'b', 'c', 'd']) expect(await valueAt(key)).toBeUndefined();
      await put('d', 'read after');
      expect(await valueAt('d')).toBe('read after');
      expect(await cache.clear(area)).toBe(1);
      expect(await cache.clear(area)).toBe(0);
    });
  });
}
