import { expect, test } from '@jest/globals';
import { createAreaClears } from './area-clears.ts';

test('what was read before an area was cleared is told from what was read afterwards', () => {
  const clears = createAreaClears();
  const before = clears.now();
  clears.note('a');
  const after = clears.now();
  expect([clears.since('a', before), clears.since('a', after), clears.since('b', before)]).toEqual([
    true,
    false,
    false,
  ]);
  clears.noteAll();
  expect([clears.since('a', after), clears.since('b', after), clears.since('b', clears.now())]).toEqual([
    true,
    true,
    false,
  ]);
});

test('of areas that were cleared too long ago to be remembered it is not said that they were not', () => {
  const clears = createAreaClears();
  const before = clears.now();
  clears.note('first');
  const between = clears.now();
  for (let at = 0; at < 10_000; at += 1) clears.note(`area ${at}`);
  expect(clears.since('first', before)).toBe(true);
  // Any area that is not remembered may have been the first one.
  expect([clears.since('never cleared', before), clears.since('never cleared', between)]).toEqual([true, false]);
});
