import { expect, test } from '@jest/globals';
import { ndcg, recall, reciprocalRank } from './ranking-metrics.ts';

const judgements = new Map([
  ['a', 3],
  ['b', 2],
  ['c', 1],
  ['d', 0],
]);

test('nDCG weighs grades by rank against the ideal ranking of all that was judged', () => {
  // Gains 2, 0, 3 at ranks 1 to 3: 2/log2(2) + 3/log2(4) = 3.5. Ideal 3 + 2/log2(3) + 1/log2(4) = 4.76186.
  expect(ndcg(['b', 'x', 'a'], judgements, 10)).toBeCloseTo(3.5 / 4.76186, 5);
  expect(ndcg(['a', 'b', 'c'], judgements, 10)).toBe(1);
  expect(ndcg([], judgements, 10)).toBe(0);
});

test('nDCG sees nothing below its depth, neither in the ranking nor in the ideal', () => {
  // Depth 1: gain 2 of an ideal 3.
  expect(ndcg(['b', 'a', 'c'], judgements, 1)).toBeCloseTo(2 / 3, 10);
  expect(ndcg(['x', 'a'], judgements, 1)).toBe(0);
});

test('recall is the share of all that is relevant; a grade of 0 is not', () => {
  expect(recall(['d', 'a', 'x', 'b'], judgements, 10)).toBeCloseTo(2 / 3, 10);
  expect(recall(['d', 'a', 'x', 'b'], judgements, 2)).toBeCloseTo(1 / 3, 10);
});

test('the reciprocal rank is of the first relevant document, and 0 below the depth', () => {
  expect(reciprocalRank(['d', 'x', 'c', 'a'], judgements, 10)).toBeCloseTo(1 / 3, 10);
  expect(reciprocalRank(['d', 'x', 'c'], judgements, 2)).toBe(0);
});

test('what nobody judged relevant has no score', () => {
  expect(ndcg(['a'], new Map(), 10)).toBeNaN();
  expect(recall(['a'], new Map(), 10)).toBeNaN();
});
