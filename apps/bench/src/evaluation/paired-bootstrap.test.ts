import { expect, test } from '@jest/globals';
import { createRandom } from '../seeded-text.ts';
import { holm, pairedBootstrap } from './paired-bootstrap.ts';

/** Fewer than by default: the sandbox of the tests makes each of them slow. */
const resamples = 2_000;

function noisyScores(count: number, lift: number) {
  const random = createRandom(5);
  const first = Array.from({ length: count }, () => random());
  const second = first.map((score) => score + (random() - 0.5) * 0.2 + lift);
  return { first, second };
}

test('a difference far above its noise is significant, one below it is not', () => {
  const large = noisyScores(100, 0.05);
  const found = pairedBootstrap(large.first, large.second, { resamples });
  expect(found.p).toBeLessThan(0.001);
  expect(found.interval[0]).toBeGreaterThan(0);
  expect(found.interval[0]).toBeLessThan(found.difference);
  expect(found.interval[1]).toBeGreaterThan(found.difference);

  const mixed = large.first.map((score, index) => score + (index % 2 === 0 ? 0.1 : -0.098));
  const unclear = pairedBootstrap(large.first, mixed, { resamples });
  expect(unclear.p).toBeGreaterThan(0.2);
  expect(unclear.interval[0]).toBeLessThan(0);
  expect(unclear.interval[1]).toBeGreaterThan(0);
});

test('the interval is that of the normal approximation where that holds', () => {
  const { first, second } = noisyScores(200, 0.03);
  const differences = first.map((score, index) => (second[index] as number) - score);
  const mean = differences.reduce((sum, value) => sum + value, 0) / 200;
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 199;
  const halfWidth = 1.96 * Math.sqrt(variance / 200);
  const { interval } = pairedBootstrap(first, second, { resamples });
  expect(interval[0]).toBeCloseTo(mean - halfWidth, 2);
  expect(interval[1]).toBeCloseTo(mean + halfWidth, 2);
});

test('the same seed gives the same figures, another seed others', () => {
  const { first, second } = noisyScores(50, 0.01);
  const once = pairedBootstrap(first, second, { resamples, seed: 7 });
  expect(pairedBootstrap(first, second, { resamples, seed: 7 })).toEqual(once);
  expect(pairedBootstrap(first, second, { resamples, seed: 8 })).not.toEqual(once);
});

test('configurations that score alike do not differ, and one that is better everywhere by as much does', () => {
  expect(pairedBootstrap([0.1, 0.5, 1], [0.1, 0.5, 1])).toEqual({ difference: 0, interval: [0, 0], p: 1 });
  expect(pairedBootstrap([0, 0.25, 0.5], [0.5, 0.75, 1])).toEqual({ difference: 0.5, interval: [0.5, 0.5], p: 0 });
});

test('scores of different queries are refused', () => {
  expect(() => pairedBootstrap([1, 2], [1, 2, 3])).toThrow('same queries');
  expect(() => pairedBootstrap([1], [1])).toThrow('two queries');
});

test('of many comparisons those hold together whose level is below a share that grows step by step', () => {
  // Holm 1979: 0.05/4, 0.05/3, 0.05/2, 0.05/1. The third stops it, so the fourth does not count either.
  expect(holm([0.03, 0.001, 0.016, 0.04])).toEqual([false, true, true, false]);
  expect(holm([])).toEqual([]);
});
