import { expect, test } from '@jest/globals';
import { type ScoringTask, scorePostings } from '@semantic-memory/shared/search/lexical/score-postings';
import type { ScoringAnswer } from './lexical-scoring-protocol.ts';
import { createScoringServer } from './lexical-scoring-server.ts';

const { lists, lengths, ...task }: ScoringTask = {
  lists: [Uint32Array.of(1, 33, 97)],
  lengths: Uint16Array.of(3, 2, 0, 5),
  terms: [{ weight: 1, common: false }],
  frequencies: [],
  count: 3,
  totalLength: 10,
  select: { kind: 'best', limit: 2 },
};

function bench() {
  const answers: ScoringAnswer[] = [];
  return { answers, hear: createScoringServer((answer) => answers.push(answer)) };
}

const shared = (numbers: Uint32Array) => {
  const buffer = new SharedArrayBuffer(numbers.byteLength + 64);
  new Uint32Array(buffer).set(numbers);
  return buffer;
};

test('numbers that were sent and numbers in shared memory are scored alike', () => {
  const { answers, hear } = bench();
  const result = scorePostings({ lists, lengths, ...task });
  hear({ kind: 'score', id: 1, task, lists: [{ numbers: lists[0]! }], lengths: { numbers: lengths } });
  hear({ kind: 'share', memory: 7, buffer: shared(lists[0]!) });
  hear({ kind: 'score', id: 2, task, lists: [{ memory: 7, length: 3 }], lengths: { numbers: lengths } });
  expect(answers).toEqual([
    { id: 1, result },
    { id: 2, result },
  ]);
});

test('a query over memory that was dropped is answered by what is wrong, and the next one is scored', () => {
  const { answers, hear } = bench();
  hear({ kind: 'share', memory: 7, buffer: shared(lists[0]!) });
  hear({ kind: 'drop', memory: 7 });
  hear({ kind: 'score', id: 1, task, lists: [{ memory: 7, length: 3 }], lengths: { numbers: lengths } });
  hear({ kind: 'score', id: 2, task, lists: [{ numbers: lists[0]! }], lengths: { numbers: lengths } });
  expect(answers).toEqual([
    { id: 1, message: 'memory 7 was not shared' },
    { id: 2, result: expect.anything() },
  ]);
});
