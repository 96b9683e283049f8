import { expect, test } from '@jest/globals';
import { createSuspects, createTurns, type LoneStarts } from './suspects.ts';

/** Starts by job, as the queue keeps them over the death of a process. */
function createStarts(): LoneStarts {
  const counts = new Map<string, number>();
  const add = (id: string, by: number) => {
    counts.set(id, (counts.get(id) ?? 0) + by);
    return counts.get(id) ?? 0;
  };
  return { begin: async (id) => add(id, 1), end: async (id) => void add(id, -1) };
}

test('suspects of one process run one after another, others beside them', async () => {
  const suspects = createSuspects('parse', createStarts(), createTurns());
  const order: string[] = [];
  const first = await suspects.enter({ id: 'a', stalled: 2 });
  const second = suspects.enter({ id: 'b', stalled: 5 }).then((entered) => {
    order.push('second');
    return entered;
  });
  await (await suspects.enter({ id: 'c', stalled: 0 })).leave();
  await (await suspects.enter({ id: 'd', stalled: 1 })).leave();
  order.push('others');
  await first.leave();
  await (await second).leave();
  expect(order).toEqual(['others', 'second']);
});

test('what dies while it runs alone is held against it, what only waited beside it is not', async () => {
  const starts = createStarts();
  for (let death = 0; death < 3; death += 1) {
    // Each process has both; the first one begins, and with it the process dies.
    const suspects = createSuspects('parse', starts, createTurns());
    const guilty = await suspects.enter({ id: 'guilty', stalled: 2 + death });
    void suspects.enter({ id: 'innocent', stalled: 2 + death });
    expect(guilty.stalls).toBe(2 + death);
  }
  const innocent = await createSuspects('parse', starts, createTurns()).enter({ id: 'innocent', stalled: 5 });
  expect(innocent.stalls).toBe(2);
  await innocent.leave();
  expect((await createSuspects('parse', starts, createTurns()).enter({ id: 'innocent', stalled: 6 })).stalls).toBe(2);
});

test('a tier where no content is at work has no suspects', async () => {
  const suspects = createSuspects('index', createStarts(), createTurns());
  expect((await suspects.enter({ id: 'a', stalled: 5 })).stalls).toBe(5);
  expect((await suspects.enter({ id: 'b', stalled: 5 })).stalls).toBe(5);
});

test('suspects of two tiers of one process run one after another: what kills one kills both', async () => {
  const [starts, turns] = [createStarts(), createTurns()];
  const killer = await createSuspects('parse', starts, turns).enter({ id: 'killer', stalled: 2 });
  let isIn = false;
  const innocent = createSuspects('embed', starts, turns).enter({ id: 'innocent', stalled: 2 });
  void innocent.then(() => {
    isIn = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isIn).toBe(false);
  await killer.leave();
  expect((await innocent).stalls).toBe(2);
});

test('a start or an end that cannot be counted since the queue is away keeps nobody from their turn', async () => {
  const turns = createTurns();
  const away = () => Promise.reject(new Error('away'));
  const counted = createStarts();
  const cannotBegin = createSuspects('parse', { ...counted, begin: away }, turns);
  await expect(cannotBegin.enter({ id: 'a', stalled: 2 })).rejects.toThrow('away');
  const cannotEnd = createSuspects('parse', { ...counted, end: away }, turns);
  await (await cannotEnd.enter({ id: 'b', stalled: 2 })).leave();
  // The start counts as one that did not end.
  expect((await createSuspects('parse', counted, turns).enter({ id: 'b', stalled: 2 })).stalls).toBe(3);
});
