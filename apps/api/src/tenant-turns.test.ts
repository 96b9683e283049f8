import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createTenantTurns } from './tenant-turns.ts';

/** Work that lasts until it is told to end; `begun` has the names in the order in which it began. */
function bench(places: number, shared: number) {
  const turns = createTenantTurns(places, shared);
  const begun: string[] = [];
  const ends = new Map<string, (fault?: Error) => void>();
  return {
    begun,
    /** Gives the outcomes once all have ended. */
    async send(tenant: string, ...names: string[]) {
      const outcomes = Promise.allSettled(
        names.map((name) =>
          turns(tenant, () => {
            begun.push(name);
            return new Promise<string>((resolve, reject) => {
              ends.set(name, (fault) => (fault ? reject(fault) : resolve(name)));
            });
          }),
        ),
      );
      await setImmediate();
      return () => outcomes;
    },
    async end(name: string, fault?: Error) {
      ends.get(name)?.(fault);
      await setImmediate();
    },
  };
}

test('a tenant that is alone has all places, and its work begins in the order it came', async () => {
  const { begun, send, end } = bench(3, 2);
  const sent = await send('a', 'a1', 'a2', 'a3', 'a4', 'a5');
  expect(begun).toEqual(['a1', 'a2', 'a3']);
  await end('a2');
  expect(begun).toEqual(['a1', 'a2', 'a3', 'a4']);
  for (const name of ['a1', 'a3', 'a4', 'a5']) await end(name);
  expect((await sent()).map((result) => result.status === 'fulfilled' && result.value)).toEqual([
    'a1',
    'a2',
    'a3',
    'a4',
    'a5',
  ]);
});

test('another tenant begins at once, and as long as it is there the many of the first hold back', async () => {
  const { begun, send, end } = bench(4, 2);
  const first = await send('a', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6');
  const second = await send('b', 'b1', 'b2');
  expect(begun).toEqual(['a1', 'a2', 'a3', 'a4', 'b1']);
  for (const name of ['a1', 'a2', 'a3']) await end(name);
  expect(begun).toEqual(['a1', 'a2', 'a3', 'a4', 'b1']);
  await end('b1');
  expect(begun.at(-1)).toBe('b2');
  await end('a4');
  expect(begun.at(-1)).toBe('a5');
  // Alone again.
  await end('b2');
  expect(begun.at(-1)).toBe('a6');
  for (const name of ['a5', 'a6']) await end(name);
  expect((await Promise.all([first(), second()])).flat().every(({ status }) => status === 'fulfilled')).toBe(true);
});

test('work that fails gives its place back and says why', async () => {
  const { begun, send, end } = bench(1, 1);
  const sent = await send('a', 'a1', 'a2');
  await end('a1', new Error('the disk is full'));
  expect(begun).toEqual(['a1', 'a2']);
  await end('a2');
  expect(await sent()).toMatchObject([
    { status: 'rejected', reason: { message: 'the disk is full' } },
    { status: 'fulfilled' },
  ]);
});
