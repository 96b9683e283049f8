import { expect, test } from '@jest/globals';
import { compareScores, comparisonTable } from './compare-reports.ts';
import type { Scores } from './scores.ts';

const scoresOf = (mode: string, values: Record<string, number>): Scores => ({
  ...{ part: 'retrieval', set: 'letters', mode, ids: Object.keys(values) },
  metrics: { 'MRR@10': Object.values(values) },
});
const options = { resamples: 1000, seed: 1 };

test('scores are paired by query, whatever their order, over those that both have', () => {
  const first = scoresOf('hybrid', { a: 0.1, b: 0.2, c: 0.3, onlyFirst: 1 });
  const second = scoresOf('hybrid', { c: 0.8, a: 0.6, onlySecond: 0, b: 0.7 });
  const [compared, ...others] = compareScores([first, scoresOf('dense', { a: 1 })], [second], options);
  expect(others).toEqual([]);
  expect(compared).toMatchObject({ mode: 'hybrid', metric: 'MRR@10', items: 3, p: 0, significant: true });
  expect(compared?.difference).toBeCloseTo(0.5, 10);
});

test('the table marks what is significant', () => {
  const first = scoresOf('hybrid', { a: 0, b: 0.5, c: 0.5 });
  const better = scoresOf('hybrid', { a: 0.5, b: 1, c: 1 });
  expect(comparisonTable(compareScores([first], [better], options))).toContain(' ** |');
  expect(comparisonTable(compareScores([first], [first], options))).not.toContain('*');
});
