import { afterEach, expect, test } from '@jest/globals';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { type ScoringTask, scorePostings } from '@semantic-memory/shared/search/lexical/score-postings';
import { createScorer, type Scorer } from './lexical-scorer.ts';

const died: string[] = [];
const say = () => {};
const logger: Logger = {
  ...{ debug: say, info: say, warn: say, child: () => logger },
  error: (message) => void died.push(message),
};

let scorer: Scorer;
afterEach(async () => {
  await scorer.close();
  // Else it was this thread that scored.
  expect(died).toEqual([]);
});

/** Every chunk has the first term, every third the second. */
function someTask(chunks: number, memory: (bytes: number) => ArrayBufferLike): ScoringTask {
  const first = new Uint32Array(memory(chunks * 4)).map((_, ordinal) => ordinal * 32 + 1 + (ordinal % 5));
  const second = first.filter((_, at) => at % 3 === 0);
  const lengths = new Uint16Array(memory(chunks * 2)).map((_, ordinal) => 1 + (ordinal % 90));
  const lists = [first, second].map((list) => {
    const shared = new Uint32Array(memory(list.byteLength));
    shared.set(list);
    return shared;
  });
  const terms = lists.map(() => ({ weight: 1, common: false }));
  const totalLength = lengths.reduce((sum, length) => sum + length, 0);
  return { lists, terms, frequencies: [], lengths, count: chunks, totalLength, select: { kind: 'best', limit: 20 } };
}

test.each([
  ['shared', (bytes: number) => new SharedArrayBuffer(bytes)],
  ['copied', (bytes: number) => new ArrayBuffer(bytes)],
])('a thread scores what is %s as this one would', async (_, memory) => {
  scorer = createScorer(logger, { stepsHere: 0 });
  const task = someTask(20_000, memory);
  const [first, again] = await Promise.all([scorer.score(task), scorer.score(task)]);
  expect(first).toEqual(scorePostings(task));
  expect(again).toEqual(first);
});

test('memory that was dropped is shared anew where it comes again', async () => {
  scorer = createScorer(logger, { stepsHere: 0 });
  const task = someTask(1000, (bytes) => new SharedArrayBuffer(bytes));
  const before = await scorer.score(task);
  scorer.dropped(task.lists[0]!.buffer);
  expect(await scorer.score(task)).toEqual(before);
});

test('the loop stays free while a thread scores, and what was under way when it is closed is answered all the same', async () => {
  scorer = createScorer(logger, { stepsHere: 0 });
  const task = someTask(200_000, (bytes) => new SharedArrayBuffer(bytes));
  const wanted = scorePostings(task);
  const answers = Array.from({ length: 20 }, () => scorer.score(task));
  await scorer.close();
  for (const answer of answers) expect(await answer).toEqual(wanted);
  expect(await scorer.score(task)).toEqual(wanted);
});
