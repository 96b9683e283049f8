import { afterEach, expect, test } from '@jest/globals';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { type ScoringTask, scorePostings } from '@semantic-memory/shared/search/lexical/score-postings';
import { programBeside } from '../child/program-beside.ts';
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

test('a query that the thread cannot score is refused, and the next one is scored', async () => {
  scorer = createScorer(logger, { stepsHere: 0 });
  const task = someTask(1000, (bytes) => new ArrayBuffer(bytes));
  const broken = { ...task, terms: null as never };
  await expect(scorer.score(broken)).rejects.toThrow('a query could not be scored');
  expect(await scorer.score(task)).toEqual(scorePostings(task));
});

test('where the thread dies this one scores, what was under way included, and memory it had is forgotten', async () => {
  const program = programBeside(import.meta.url, 'testing/dying-thread');
  scorer = createScorer(logger, { stepsHere: 0, program });
  const task = someTask(1000, (bytes) => new SharedArrayBuffer(bytes));
  const wanted = scorePostings(task);
  expect(await scorer.score(task)).toEqual(wanted);
  expect(died.splice(0)).toEqual(['the scoring thread died; queries are scored here']);
  scorer.dropped(task.lists[0]!.buffer);
  expect(await scorer.score(task)).toEqual(wanted);
});
