import { expect, test } from '@jest/globals';
import { areaUnderCurve, refusalScores, thresholdFor } from './refusal-metrics.ts';

test('refusals are right where there is no answer and wrong where there is one', () => {
  // 1 of 4 wrongly, 2 of 4 rightly: 2 of the 3 refusals were right.
  const scores = refusalScores([true, false, false, false], [true, true, false, false]);
  expect(scores).toEqual({ precision: 2 / 3, recall: 0.5, wronglyRefused: 0.25 });
});

test('the area under the curve is 1 for a signal that parts them, one half for one that says nothing', () => {
  expect(areaUnderCurve([0.8, 0.9], [0.1, 0.7])).toBe(1);
  expect(areaUnderCurve([0.5, 0.5], [0.5])).toBe(0.5);
  // Of four pairs, three are in order.
  expect(areaUnderCurve([0.4, 0.9], [0.1, 0.6])).toBe(0.75);
});

test('no more than the share lies below the threshold', () => {
  const values = Array.from({ length: 40 }, (_, index) => index / 40);
  const threshold = thresholdFor(values, 0.05);
  expect(values.filter((value) => value < threshold)).toHaveLength(2);
  expect(thresholdFor([0.3], 0.05)).toBe(0.3);
});
