import { expect, test } from '@jest/globals';
import { liftedByNeighbours } from './neighbour-lift.ts';

const at = (x: number, y: number) => Int8Array.of(x, y);

test('a score rises by two fifths of what the mean of the three nearest is above it, and none falls', () => {
  const near = [at(100, 0), at(100, 1), at(100, 2), at(100, 3), at(0, 100)];
  const [first, second, , , far] = liftedByNeighbours([10, 1, 5, 6, 0], near);
  expect(first).toBe(10);
  expect(second).toBeCloseTo(1 + 0.4 * (7 - 1));
  // The nearest of the far one are those with the most of its direction.
  expect(far).toBeCloseTo(0.4 * 4);
});

test('what has no direction keeps its score, and lifts nobody', () => {
  const scores = [10, 4, 4, 4, 100, 0];
  const directions = [at(100, 0), at(100, 1), at(100, 2), at(100, 3), undefined, undefined];
  expect(liftedByNeighbours(scores, directions)).toEqual([10, 4.8, 4.8, 4.8, 100, 0].map(close));
});

test('nothing changes where there are no three others', () => {
  expect(liftedByNeighbours([3, 2, 1], [at(1, 0), at(1, 1), at(0, 1)])).toEqual([3, 2, 1]);
  expect(liftedByNeighbours([], [])).toEqual([]);
});

const close = (value: number) => expect.closeTo(value, 6);

test('a direction without a length is near to nothing', () => {
  const scores = [8, 8, 8, 8, 0];
  const directions = [at(100, 0), at(100, 1), at(100, 2), at(100, 3), at(0, 0)];
  const lifted = liftedByNeighbours(scores, directions);
  expect(lifted.every(Number.isFinite)).toBe(true);
  expect(lifted.slice(0, 4)).toEqual([8, 8, 8, 8]);
});
