import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { MemoryError } from '../contracts/errors.ts';
import { createInMemoryCache } from '../testing/in-memory-cache.ts';
import { createResultCache, type Remembered } from './result-cache.ts';

const freshMs = 1000;
const graceMs = 5000;
const away = () => new MemoryError('dependency_unavailable', 'It is away.');

/** Two processes over one shared layer, and an origin that counts and can be held up, or be away. */
function createBench() {
  const clock = { time: 1_000_000, now: () => clock.time };
  const cache = createInMemoryCache(clock);
  const [one, two] = [0, 1].map(() =>
    createResultCache({ cache, clock, freshMs, embeddingFreshMs: freshMs, graceMs }),
  ) as [ReturnType<typeof createResultCache>, ReturnType<typeof createResultCache>];
  const origin = {
    calls: 0,
    answer: 'first',
    keep: true,
    failure: undefined as Error | undefined,
    held: undefined as Promise<void> | undefined,
    signal: undefined as AbortSignal | undefined,
    compute: async (signal: AbortSignal) => {
      origin.calls += 1;
      origin.signal = signal;
      await (origin.held ?? nextTurn());
      signal.throwIfAborted();
      if (origin.failure) throw origin.failure;
      return { value: origin.answer, keep: origin.keep };
    },
  };
  return { clock, cache, one, two, origin };
}

const question = (fields: Partial<Remembered<string>> = {}): Remembered<string> => ({
  area: { tenant: 'acme', namespace: 'default' },
  kind: 'search',
  of: { query: 'pines', topK: 10 },
  generation: 'g1',
  schema: z.string(),
  ifStillTrue: async (value) => value,
  ...fields,
});

test('what was computed is given again while it is fresh, to every process', async () => {
  const { one, two, origin, clock } = createBench();
  expect(await one.remember(question(), origin.compute)).toEqual({ value: 'first', origin: 'computed', stale: false });
  origin.answer = 'second';
  clock.time += freshMs / 2;
  const again = question({ of: { topK: 10, query: 'pines' } });
  for (const process of [one, two]) {
    expect(await process.remember(again, origin.compute)).toEqual({ value: 'first', origin: 'cache', stale: false });
  }
  expect(origin.calls).toBe(1);
});

test.each<[string, Partial<Remembered<string>>]>([
  ['tenant', { area: { tenant: 'rival', namespace: 'default' } }],
  ['namespace', { area: { tenant: 'acme', namespace: 'other' } }],
  ['generation', { generation: 'g2' }],
  ['request', { of: { query: 'pines', topK: 11 } }],
  ['kind', { kind: 'answer' }],
])('another %s is another question', async (_, fields) => {
  const { one, origin } = createBench();
  await one.remember(question(), origin.compute);
  origin.answer = 'second';
  expect((await one.remember(question(fields), origin.compute)).value).toBe('second');
});

test('200 who ask two processes at once make one call', async () => {
  const { one, two, origin } = createBench();
  const asked = Array.from({ length: 200 }, (_, at) => (at % 2 ? one : two).remember(question(), origin.compute));
  const found = await Promise.all(asked);
  expect(origin.calls).toBe(1);
  expect(found.every(({ value }) => value === 'first')).toBe(true);
  expect(found.filter((each) => each.origin === 'computed')).toHaveLength(1);
});

test('one who leaves costs the others nothing, and the last who leaves ends the work', async () => {
  const { one, origin } = createBench();
  const { promise, resolve } = Promise.withResolvers<void>();
  origin.held = promise;
  const [first, second] = [new AbortController(), new AbortController()];
  const leaving = one.remember(question(), origin.compute, first.signal);
  await nextTurn();
  const staying = one.remember(question(), origin.compute, second.signal);
  await nextTurn();
  first.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'cancelled' });
  expect(origin.signal?.aborted).toBe(false);
  resolve();
  expect((await staying).value).toBe('first');

  origin.held = new Promise(() => {});
  const alone = one.remember(question({ generation: 'g2' }), origin.compute, second.signal);
  await nextTurn();
  second.abort();
  await expect(alone).rejects.toMatchObject({ code: 'cancelled' });
  expect(origin.signal?.aborted).toBe(true);
});

test('shortly before its time is over it is given and renewed, once', async () => {
  const { one, origin, clock } = createBench();
  await one.remember(question(), origin.compute);
  origin.answer = 'second';
  clock.time += freshMs * 0.9;
  const early = await Promise.all([1, 2, 3].map(() => one.remember(question(), origin.compute)));
  expect(early.map(({ value }) => value)).toEqual(['first', 'first', 'first']);
  while ((await one.remember(question(), origin.compute)).value === 'first') await nextTurn();
  expect(origin.calls).toBe(2);
});

test('a failure is not kept: the next who ask compute again', async () => {
  const { one, origin } = createBench();
  origin.failure = away();
  await expect(one.remember(question(), origin.compute)).rejects.toBe(origin.failure);
  origin.failure = undefined;
  expect((await one.remember(question(), origin.compute)).origin).toBe('computed');
});

test('what lacks something is given to those who wait for it, and not kept', async () => {
  const { one, origin } = createBench();
  origin.keep = false;
  const both = await Promise.all([1, 2].map(() => one.remember(question(), origin.compute)));
  expect(both.map((each) => each.origin)).toEqual(['computed', 'shared']);
  expect(origin.calls).toBe(1);
  await one.remember(question(), origin.compute);
  expect(origin.calls).toBe(2);
});

test('what is past its time is given where it cannot be computed, until its grace is over', async () => {
  const { one, origin, clock } = createBench();
  await one.remember(question(), origin.compute);
  clock.time += freshMs + 1;
  origin.failure = away();
  expect(await one.remember(question(), origin.compute)).toEqual({ value: 'first', origin: 'cache', stale: true });
  origin.failure = undefined;
  origin.keep = false;
  origin.answer = 'not whole';
  expect(await one.remember(question(), origin.compute)).toEqual({ value: 'first', origin: 'cache', stale: true });
  clock.time += graceMs;
  origin.failure = away();
  await expect(one.remember(question(), origin.compute)).rejects.toBe(origin.failure);
});

test('one of a generation before is given where nothing can be computed, as far as it is still true', async () => {
  const { one, origin } = createBench();
  await one.remember(question(), origin.compute);
  origin.failure = away();
  const later = (ifStillTrue: Remembered<string>['ifStillTrue']) => question({ generation: 'g2', ifStillTrue });
  expect(
    await one.remember(
      later(async (value) => `${value}, renamed`),
      origin.compute,
    ),
  ).toEqual({
    value: 'first, renamed',
    origin: 'cache',
    stale: true,
  });
  await expect(
    one.remember(
      later(async () => undefined),
      origin.compute,
    ),
  ).rejects.toBe(origin.failure);
  origin.failure = new MemoryError('unprocessable', 'It is not for that.');
  await expect(
    one.remember(
      later(async (value) => value),
      origin.compute,
    ),
  ).rejects.toBe(origin.failure);
});

test('an entry of another shape is as good as none', async () => {
  const { one, origin } = createBench();
  await one.remember(question(), origin.compute);
  const number = { ...question(), schema: z.number(), ifStillTrue: undefined };
  expect((await one.remember(number, async () => ({ value: 7, keep: true }))).value).toBe(7);
});

test('what is shown while it is made is stored at its end, by one process at a time', async () => {
  const { one, two } = createBench();
  const begun = await one.begin(question());
  expect(begun.value).toBeUndefined();
  expect(await two.begin(question())).toEqual({});
  await begun.claim?.store('written');
  expect((await two.begin(question())).value).toBe('written');
  const other = question({ generation: 'g2' });
  await (await one.begin(other)).claim?.release();
  expect((await two.begin(other)).claim).toBeDefined();
});

test('a renewal that fails costs nobody anything', async () => {
  const { one, origin, clock } = createBench();
  await one.remember(question(), origin.compute);
  origin.failure = away();
  clock.time += freshMs * 0.9;
  for (let calls = 2; calls < 4; calls += 1) {
    expect((await one.remember(question(), origin.compute)).value).toBe('first');
    while (origin.calls < calls) await nextTurn();
    await nextTurn();
  }
});

test('without a way to tell whether it is still true nothing is given past its time', async () => {
  const { one, origin, clock } = createBench();
  const what = question({ ifStillTrue: undefined });
  await one.remember(what, origin.compute);
  clock.time += freshMs + 1;
  origin.failure = away();
  await expect(one.remember(what, origin.compute)).rejects.toBe(origin.failure);
});

test('who waits for another process and leaves looks no longer', async () => {
  const { one, two, cache, origin } = createBench();
  const { promise, resolve } = Promise.withResolvers<void>();
  origin.held = promise;
  const working = one.remember(question(), origin.compute);
  let looks = 0;
  const { claim } = cache;
  const looked = Promise.withResolvers<void>();
  cache.claim = async (...claimed) => {
    looks += 1;
    looked.resolve();
    return claim(...claimed);
  };
  const leaving = new AbortController();
  const waiting = two.remember(question(), origin.compute, leaving.signal);
  await looked.promise;
  leaving.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  const before = looks;
  await new Promise((after) => setTimeout(after, 50));
  expect(looks).toBe(before);
  resolve();
  expect((await working).value).toBe('first');
});

test('of very many requests the last value of the oldest is forgotten, that of others is not', async () => {
  const { one, origin, cache } = createBench();
  const ask = (query: number, generation: string) =>
    one.remember(question({ of: { query }, generation }), origin.compute);
  origin.held = Promise.resolve();
  for (let query = 0; query <= 10_000; query += 1) await ask(query, 'g1');
  expect(cache.size).toBe(10_001);
  origin.failure = away();
  await expect(ask(0, 'g2')).rejects.toBe(origin.failure);
  expect(await ask(1, 'g2')).toMatchObject({ value: 'first', stale: true });
});
