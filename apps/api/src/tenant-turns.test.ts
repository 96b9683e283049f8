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

test('those that have something share the places, and take turns', async () => {
  const { begun, send, end } = bench({ places: 4 });
  const first = await send('a', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7');
  const second = await send('b', 'b1', 'b2', 'b3');
  // What was begun before stays where it is; the other has its share at once.
  expect(begun).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b2']);
  for (const name of ['a1', 'a2']) await end(name);
  expect(begun).toHaveLength(6);
  await end('a3');
  expect(begun.at(-1)).toBe('a5');
  for (const name of ['b1', 'b2', 'b3']) await end(name);
  // It has nothing any more: all places are the first one's again.
  expect(begun.slice(-3)).toEqual(['b3', 'a6', 'a7']);
  for (const name of ['a4', 'a5', 'a6', 'a7']) await end(name);
  expect((await Promise.all([first(), second()])).flat().every(({ status }) => status === 'fulfilled')).toBe(true);
});

test('beside another tenant, and a moment longer, work begins at a pace, and first whose has least under way', async () => {
  const pace = 200;
  const { begun, send, end } = bench({ places: 100, pace, linger: 20 * pace });
  const until = async (count: number) => {
    while (begun.length < count) await delay(10);
  };
  await send('a', 'a1', 'a2', 'a3', 'a4');
  expect(begun).toHaveLength(4);
  await send('b', 'b1', 'b2');
  await send('a', 'a5', 'a6');
  const startedAt = performance.now();
  await until(8);
  expect(performance.now() - startedAt).toBeGreaterThan(pace);
  expect(begun.slice(4)).toEqual(['b1', 'b2', 'a5', 'a6']);
  // Its documents are on their way through the service.
  await end('b1');
  await end('b2');
  await send('a', 'a7', 'a8');
  const goesOnAt = performance.now();
  await until(10);
  expect(performance.now() - goesOnAt).toBeGreaterThan(pace / 3);
});

test('many tenants with one piece of work each wait for nobody', async () => {
  const { begun, send, end } = bench({ places: 100, pace: 500 });
  await send('a', 'a1', 'a2');
  await send('b', 'b1');
  for (const name of ['a1', 'a2']) await end(name);
  await send('a', 'a3', 'a4', 'a5');
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3']);
  for (let index = 2; index < 50; index += 1) await send(`c${index}`, `c${index}`);
  expect(begun).toHaveLength(52);
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
