import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createTenantTurns, type TurnOptions } from './tenant-turns.ts';

const linger = 50;

/** Work that lasts until it is told to end; `begun` has the names in the order in which it began. */
function bench(options: TurnOptions) {
  const turns = createTenantTurns({ linger, pace: 0, ...options });
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
  const { begun, send, end } = bench({ places: 3 });
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

test('another tenant begins at once, and as long as it is there, and a moment longer, the first has its share', async () => {
  const { begun, send, end } = bench({ places: 4 });
  const first = await send('a', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7');
  const second = await send('b', 'b1', 'b2', 'b3');
  expect(begun).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b2']);
  for (const name of ['a1', 'a2']) await end(name);
  expect(begun).toHaveLength(6);
  await end('a3');
  expect(begun.at(-1)).toBe('a5');
  for (const name of ['b1', 'b2', 'b3']) await end(name);
  expect(begun.at(-1)).toBe('b3');
  // Its documents are on their way through the service: the first is not alone again before some time has passed.
  await delay(2 * linger);
  expect(begun.slice(-2)).toEqual(['a6', 'a7']);
  for (const name of ['a4', 'a5', 'a6', 'a7']) await end(name);
  expect((await Promise.all([first(), second()])).flat().every(({ status }) => status === 'fulfilled')).toBe(true);
});

test('beside another tenant work begins at a pace; whoever has just come need not wait for it', async () => {
  const { begun, send } = bench({ places: 100, pace: 20 });
  await send('a', 'a1', 'a2', 'a3', 'a4');
  expect(begun).toHaveLength(4);
  await send('b', 'b1');
  expect(begun.at(-1)).toBe('b1');
  await send('a', 'a5', 'a6', 'a7');
  const atOnce = begun.length;
  await delay(300);
  expect([atOnce < 8, begun.length]).toEqual([true, 8]);
});

test('work that fails gives its place back and says why', async () => {
  const { begun, send, end } = bench({ places: 1 });
  const sent = await send('a', 'a1', 'a2');
  await end('a1', new Error('the disk is full'));
  expect(begun).toEqual(['a1', 'a2']);
  await end('a2');
  expect(await sent()).toMatchObject([
    { status: 'rejected', reason: { message: 'the disk is full' } },
    { status: 'fulfilled' },
  ]);
});
