import { expect, test } from '@jest/globals';
import { lexicalScale, weightsOf } from './fuse.ts';

const shipped = 'bge-small-en-v1.5-int8';
const weights = weightsOf('green pines', shipped);

test('the best score by words counts as much as a large collection lets it, at most 1', () => {
  expect(lexicalScale(8, 2, 25, weights) * 8).toBeCloseTo(0.5);
  expect(lexicalScale(8, 2, 1e9, weights) * 8).toBeCloseTo(1);
  expect(lexicalScale(1, 4, 1e9, weights) * 1).toBeCloseTo(0.25);
});

test('words that nothing can match count nothing', () => {
  expect(lexicalScale(0, 0, 100, weights)).toBe(0);
});

test('what the shipped model has no letters for is found by its words', () => {
  const [own, spanish, thai] = ['green pines', '¿Qué es un pino?', 'ต้นสน'].map(
    (query) => weightsOf(query, shipped).cosine,
  );
  expect(own).toBeGreaterThan(spanish!);
  expect(spanish).toBeGreaterThan(10 * thai!);
  // Enough to put chunks without any of the words in order.
  expect(thai).toBeGreaterThan(0);
  expect(weightsOf('ต้นสน', 'another').cosine).toBe(spanish);
});
