import { expect, test } from '@jest/globals';
import { createFirstWriter } from './first-writer.ts';

/** A key that is free or not, and counts who asked; each answer takes a turn of the event loop. */
function slowKey() {
  const state = { taken: false, asked: 0, away: false };
  const write = async () => {
    state.asked += 1;
    await new Promise((resolve) => setImmediate(resolve));
    if (state.away) throw new Error('away');
    if (state.taken) return false;
    state.taken = true;
    return true;
  };
  return { state, write };
}

test('of many writers at the same time one wins, with two requests', async () => {
  const { state, write } = slowKey();
  const firstWriter = createFirstWriter();
  const won = await Promise.all(Array.from({ length: 50 }, () => firstWriter('a', write)));
  expect(won.filter(Boolean)).toHaveLength(1);
  expect(state.asked).toBe(2);
});

test('who comes later asks anew: the key may have become free', async () => {
  const { state, write } = slowKey();
  const firstWriter = createFirstWriter();
  expect(await firstWriter('a', write)).toBe(true);
  expect(await firstWriter('a', write)).toBe(false);
  state.taken = false;
  expect(await firstWriter('a', write)).toBe(true);
});

test('a write that fails decides nothing: one of those who waited tries, and keys do not wait for each other', async () => {
  const { state, write } = slowKey();
  const firstWriter = createFirstWriter();
  state.away = true;
  const first = firstWriter('a', write);
  const others = [firstWriter('a', write), firstWriter('a', write)];
  const elsewhere = firstWriter('b', async () => true);
  await expect(first).rejects.toThrow('away');
  state.away = false;
  expect(await Promise.all(others)).toEqual([true, false]);
  expect(await elsewhere).toBe(true);
});
