import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { maxInlineResultChars, type ReplyMessage } from './messages.ts';
import { answerJob, type JobHandler } from './serve-jobs.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'serve-jobs-test-'));
});
afterEach(async () => {
  jest.useRealTimers();
  await rm(directory, { recursive: true, force: true });
});

const resultPath = () => join(directory, '7.json');

async function repliesTo(handle: JobHandler, job: unknown = {}): Promise<ReplyMessage[]> {
  const replies: ReplyMessage[] = [];
  await answerJob({ id: 7, job, resultPath: resultPath() }, handle, (reply) => replies.push(reply));
  return replies;
}

test('a job is answered with its result', async () => {
  const replies = await repliesTo(async (job) => ({ got: job }), { page: 1 });
  expect(replies).toEqual([{ id: 7, type: 'done', json: '{"got":{"page":1}}' }]);
});

test('a large result goes through a file', async () => {
  const text = 'x'.repeat(maxInlineResultChars);
  expect(await repliesTo(async () => text)).toEqual([{ id: 7, type: 'done-in-file' }]);
  expect(JSON.parse(await readFile(resultPath(), 'utf8'))).toBe(text);
});

test('a large result that cannot be written is a failed job', async () => {
  await rm(directory, { recursive: true });
  const replies = await repliesTo(async () => 'x'.repeat(maxInlineResultChars));
  expect(replies).toMatchObject([{ id: 7, type: 'failed', error: { code: 'internal' } }]);
});

test('a job that fails is answered with its error, one of a library as ours', async () => {
  const told = await repliesTo(async () => {
    throw new MemoryError('encrypted_document', 'It has a password.');
  });
  expect(told).toMatchObject([{ id: 7, type: 'failed', error: { code: 'encrypted_document' } }]);
  const unknown = await repliesTo(async () => {
    throw new TypeError('undefined is not a page');
  });
  expect(unknown).toMatchObject([
    { id: 7, type: 'failed', error: { code: 'internal', cause: expect.stringContaining('not a page') } },
  ]);
});

test('signs of life are sent at most every 200 ms, however often progress is made', async () => {
  jest.useFakeTimers();
  const replies = await repliesTo(async (_job, progress) => {
    for (let ms = 0; ms < 500; ms += 10) {
      progress();
      jest.advanceTimersByTime(10);
    }
    return 'read';
  });
  expect(replies.map(({ type }) => type)).toEqual(['progress', 'progress', 'done']);
});
