import { expect, test } from '@jest/globals';
import { lexicalScale, weightsOf } from './fuse.ts';

const weights = weightsOf('green pines');

test('the best score by words counts as much as a large collection lets it, at most 1', () => {
  expect(lexicalScale(8, 2, 25, weights) * 8).toBeCloseTo(0.5);
  expect(lexicalScale(8, 2, 1e9, weights) * 8).toBeCloseTo(1);
  expect(lexicalScale(1, 4, 1e9, weights) * 1).toBeCloseTo(0.25);
});

test('words that nothing can match count nothing', () => {
  expect(lexicalScale(0, 0, 100, weights)).toBe(0);
});
