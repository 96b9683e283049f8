import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readAnswerSet } from './answer-set.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'answer-set-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, records: object[]) =>
  writeFile(join(folder, name), records.map((record) => JSON.stringify(record)).join('\n'));
const read = (options = { maxQuestions: 10, seed: 1 }) =>
  readAnswerSet(folder, join(folder, 'off-topic.jsonl'), options);
const questions = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ _id: `${prefix}${index}`, text: `Question ${index}?` }));

test('each group is halved by the seed, whatever the order of the file', async () => {
  const asked = questions('q', 20);
  await write('queries.jsonl', asked);
  await write(
    'answers.jsonl',
    asked.map(({ _id }) => ({ 'query-id': _id, 'corpus-id': 'd1', answers: ['yes'] })),
  );
  await write('off-topic.jsonl', questions('o', 7));
  const set = await read();
  expect(set?.answerable).toHaveLength(10);
  expect(set?.answerable.filter(({ half }) => half === 'calibration')).toHaveLength(5);
  expect(set?.offTopic.filter(({ half }) => half === 'calibration')).toHaveLength(4);
  expect(set?.adversarial).toEqual([]);
  expect(await read()).toEqual(set);
  expect((await read({ maxQuestions: 10, seed: 2 }))?.answerable).not.toEqual(set?.answerable);
});

test('a set without answers is no answer set, and an answer without its question is a fault', async () => {
  await write('queries.jsonl', questions('q', 1));
  await write('off-topic.jsonl', questions('o', 1));
  expect(await read()).toBeUndefined();
  await write('answers.jsonl', [{ 'query-id': 'other', 'corpus-id': 'd1', answers: ['yes'] }]);
  await expect(read()).rejects.toThrow('answers.jsonl has other');
});
