import { expect, test } from '@jest/globals';
import { spanScores } from './span-metrics.ts';

const at = (start: number, end: number, documentId = 'a') => ({ documentId, start, end });

test('recall is the share of the answering text in the chunks, precision its share of the chunks', () => {
  // 10 of 20 wanted characters are in the one chunk of 40.
  expect(spanScores([at(0, 40)], [at(30, 50)])).toEqual({ recall: 0.5, precision: 0.25 });
});

test('chunks that overlap find nothing twice, but what they repeat is read twice', () => {
  // All 10 wanted are found; 30 + 30 characters are read.
  expect(spanScores([at(0, 30), at(20, 50)], [at(20, 30)])).toEqual({ recall: 1, precision: 10 / 60 });
});

test('an answer in two places needs both, and overlapping places count once', () => {
  expect(spanScores([at(0, 10)], [at(0, 10), at(100, 130)]).recall).toBe(0.25);
  expect(spanScores([at(0, 10)], [at(0, 10), at(5, 20)]).recall).toBe(0.5);
});

test('the same place in another document is not the answer', () => {
  expect(spanScores([at(0, 10, 'b')], [at(0, 10)])).toEqual({ recall: 0, precision: 0 });
  expect(spanScores([], [at(0, 10)])).toEqual({ recall: 0, precision: 0 });
});
