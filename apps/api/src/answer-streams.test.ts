import { once } from 'node:events';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { AnswerEvent } from '@semantic-memory/shared/contracts/model/answer';
import type { AnswerLog } from '@semantic-memory/shared/ports/answer-log';
import { createInMemoryAnswerLog } from '@semantic-memory/shared/testing/in-memory-answer-log';
import { type AnswerStreamDeps, readAnswer, recordAnswer, type SourcesEvent } from './answer-streams.ts';

const answerId = 'answer_a';
const sources: SourcesEvent = { event: 'sources', data: { answerId, hits: [] } };
const token: AnswerEvent = { event: 'token', data: { text: 'Two ' } };
const onError = () => ({ error: { code: 'internal' as const, message: 'It broke.', requestId: answerId } });

let now: number;
let answerLog: AnswerLog;
let deps: AnswerStreamDeps;
beforeEach(() => {
  now = 0;
  answerLog = createInMemoryAnswerLog({ clock: { now: () => now }, silentMs: 20_000 });
  deps = { answerLog, ledger: { getDocument: async () => undefined } };
});
afterEach(() => void jest.useRealTimers());

/** An answer whose first events have come, and no others until it is stopped. */
async function* thinking(stop: AbortSignal, ...first: AnswerEvent[]): AsyncGenerator<AnswerEvent> {
  yield* first;
  if (!stop.aborted) await once(stop, 'abort');
}

const fails = (error: Error) => () => Promise.reject(error);
const reader = new AbortController().signal;

async function opened(afterId: number) {
  const events = await readAnswer(deps, 'acme', answerId, afterId, reader);
  if (!events) throw new Error('it has ended');
  return events[Symbol.asyncIterator]();
}

test('the writer of an answer says that it lives while the model thinks', async () => {
  jest.useFakeTimers({ now: 0, doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask'] });
  const stop = new AbortController();
  await recordAnswer(deps, 'acme', { sources, rest: thinking(stop.signal), stop, onError });
  now = 25_000;
  expect(await answerLog.read('acme', answerId, 0)).toMatchObject({ abandoned: true });
  jest.advanceTimersByTime(5000);
  expect(await answerLog.read('acme', answerId, 0)).toMatchObject({ abandoned: false, ended: false });
  stop.abort();
});

test('an answer that cannot be written, for a reason that does not pass, is not thought out to its end', async () => {
  const stop = new AbortController();
  const stopped = once(stop.signal, 'abort');
  answerLog.append = fails(new MemoryError('internal', 'The entry is no entry.'));
  await recordAnswer(deps, 'acme', { sources, rest: thinking(stop.signal, token), stop, onError });
  await stopped;
  expect(await answerLog.read('acme', answerId, 0)).toMatchObject({ entries: [JSON.stringify(sources)], ended: false });
});

test('a reader waits for a log that is away, and misses nothing', async () => {
  await answerLog.begin('acme', answerId, { documents: {}, entry: JSON.stringify(sources) });
  const events = await opened(0);
  expect((await events.next()).value).toMatchObject({ id: 1, event: 'sources' });
  const { read } = answerLog;
  answerLog.read = async () => {
    answerLog.read = read;
    throw new MemoryError('dependency_unavailable', 'Redis is away.');
  };
  await answerLog.append('acme', answerId, 1, [JSON.stringify(token)], { ended: true });
  expect((await events.next()).value).toMatchObject({ id: 2, event: 'token' });
  expect((await events.next()).done).toBe(true);
});

test('what else goes wrong with the log breaks the reading off', async () => {
  await answerLog.begin('acme', answerId, { documents: {}, entry: JSON.stringify(sources) });
  const events = await opened(0);
  answerLog.read = fails(new MemoryError('internal', 'What was written cannot be read.'));
  await expect(events.next()).rejects.toMatchObject({ code: 'internal' });
});

test('a reader that has seen the last event, but not that it was the last, is let go at the end', async () => {
  await answerLog.begin('acme', answerId, { documents: {}, entry: JSON.stringify(sources) });
  const events = await opened(1);
  const next = events.next();
  await answerLog.append('acme', answerId, 1, [], { ended: true });
  expect(await next).toEqual({ done: true, value: undefined });
});
