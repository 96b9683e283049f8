import { expect, test } from '@jest/globals';
import { isWorse, pairedMeasure } from './paired-measure.ts';

const repeat = (count: number, ...scores: readonly number[]) =>
  Array.from({ length: count }, (_, at) => scores[at % scores.length] as number);
const worse = (former: readonly number[], next: readonly number[]) => {
  const measure = pairedMeasure(former, next);
  return measure && isWorse(measure);
};

test('means and the interval of their difference, by the standard error of the pairs', () => {
  expect(pairedMeasure([], [])).toBeUndefined();
  expect(pairedMeasure([1, 0.5], [0.5, 0.5])).toEqual({
    ...{ queries: 2, former: 0.75, next: 0.5 },
    // −0.25 ± 1.96 · 0.3536 / √2
    interval: [-0.74, 0.24],
  });
});

test('worse is what surely loses, or loses much; what may be chance, or is too little to matter, is not', () => {
  expect(worse(repeat(200, 1), repeat(200, 1))).toBe(false);
  expect(worse(repeat(200, 0.8), repeat(200, 0.9))).toBe(false);
  expect(worse(repeat(200, 1), repeat(200, 1, 1, 1, 0.5))).toBe(true);
  // Three of a hundred, either way.
  expect(worse(repeat(100, 1, 0), repeat(100, 0, 1))).toBe(false);
  expect(worse([...repeat(97, 1), 0, 0, 1], [...repeat(96, 1), 0, 1, 0, 0])).toBe(false);
  expect(worse(repeat(200, 0.9), repeat(200, 0.895))).toBe(false);
  expect(worse([1, 1, 1], [1, 0.5, 0.5])).toBe(true);
});
