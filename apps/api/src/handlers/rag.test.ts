import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { Answer } from '@semantic-memory/shared/contracts/model/answer';
import type { LanguageModel } from '@semantic-memory/shared/ports/language-model';
import { createResultCache } from '@semantic-memory/shared/search/result-cache';
import { createInMemoryCache } from '@semantic-memory/shared/testing/in-memory-cache';
import { readEvents, startTestApi, type TestApi, tokenFor } from '../testing/test-api.ts';

/** Writes what the test hands it, piece by piece; an Error breaks it. */
function handWrittenModel() {
  const pieces: (string | Error)[] = [];
  let wake = () => {};
  const model: LanguageModel = {
    model: 'hand-written',
    async *stream(_messages, { signal }) {
      for (let index = 0; ; index += 1) {
        while (pieces.length <= index) {
          signal?.throwIfAborted();
          await new Promise<void>((resolve) => {
            wake = resolve;
            signal?.addEventListener('abort', () => resolve());
          });
          signal?.throwIfAborted();
        }
        const piece = pieces[index];
        if (piece instanceof Error) throw piece;
        if (piece === '') return { promptTokens: 1, completionTokens: 1 };
        yield piece ?? '';
      }
    },
  };
  const write = (...more: (string | Error)[]) => {
    pieces.push(...more);
    wake();
  };
  return { model, write };
}

let api: TestApi;
let pen: ReturnType<typeof handWrittenModel>;
beforeEach(async () => {
  pen = handWrittenModel();
  api = await startTestApi(() => ({ languageModel: pen.model }));
  await api.ingested('The moon raises two tides a day.', { documentId: 'tides' });
});
afterEach(() => api.close());

const ask = (more: object = {}) => api.post('/rag', { question: 'How many tides does the moon raise a day?', ...more });
const resume = (answerId: string, lastId: string, init: { token?: string } = {}) =>
  api.call(`/rag/${answerId}/events`, { headers: { 'last-event-id': lastId }, ...init });
/** The kinds of events in order, pieces of text as one. */
const kindsOf = (events: { event: string }[]) =>
  events.map(({ event }) => event).filter((event, index, all) => event !== 'token' || all[index - 1] !== 'token');
const answerIdOf = (events: { data: unknown }[]) => ((events[0]?.data ?? {}) as { answerId?: string }).answerId ?? '';

test('an answer comes whole', async () => {
  pen.write('Two tides a day [1].', '');
  const answer = await ask();
  expect(answer.status).toBe(200);
  expect(Answer.parse(await answer.json())).toMatchObject({ citations: [{ documentId: 'tides' }], refused: false });
});

test('or as events, from the sources to the whole answer', async () => {
  pen.write('Two tides ', 'a day [1].', '');
  const events = await readEvents(await ask({ stream: true }));
  expect(kindsOf(events)).toEqual(['sources', 'token', 'citation', 'done']);
  expect(events.map((event) => event.id)).toEqual(events.map((_event, index) => `${index + 1}`));
  expect(events[0]?.data).toMatchObject({ answerId: expect.any(String), hits: [{ documentId: 'tides' }] });
  expect(Answer.parse(events.at(-1)?.data).answer).toContain('Two tides a day');
});

test('a caller that left in the middle comes back to the rest', async () => {
  const gone = new AbortController();
  pen.write('Two tides ');
  const response = await api.call('/rag', {
    method: 'POST',
    body: JSON.stringify({ question: 'How many tides does the moon raise a day?', stream: true }),
    headers: { 'content-type': 'application/json' },
    signal: gone.signal,
  });
  const seen = await readEvents(response, 2);
  gone.abort();
  const answerId = answerIdOf(seen);
  const rest = resume(answerId, '2');
  pen.write('a day [1].', '');
  const events = await readEvents(await rest);
  expect(kindsOf(events)).toEqual(['token', 'citation', 'done']);
  expect(events[0]?.id).toBe('3');
  expect((await resume(answerId, events.at(-1)?.id ?? '')).status).toBe(204);
  expect((await resume(answerId, 'x')).status).toBe(400);
  expect(await readEvents(await resume(answerId, ''))).toEqual([...seen, ...events]);
});

test('an answer that breaks in the middle says so as an event', async () => {
  pen.write('Two tides a day, ', 'says the text, ', new MemoryError('dependency_unavailable', 'The model is away.'));
  const events = await readEvents(await ask({ stream: true }));
  expect(kindsOf(events)).toEqual(['sources', 'token', 'error']);
  expect(events.at(-1)?.data).toMatchObject({
    error: { code: 'dependency_unavailable', requestId: expect.any(String) },
  });
});

test('what goes wrong before the first event is an ordinary error', async () => {
  api.flow.ledger.documentChanges = async () => {
    throw new MemoryError('dependency_unavailable', 'The ledger is away.');
  };
  const answer = await ask({ stream: true });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('content-type')).toContain('application/json');
});

test('an answer that one process writes is gone on with at another', async () => {
  const other = await startTestApi(() => api.deps);
  pen.write('Two tides ');
  const response = await ask({ stream: true });
  const [sources] = await readEvents(response, 1);
  const answerId = answerIdOf([sources as { data: unknown }]);
  const rest = await other.call(`/rag/${answerId}/events`, { headers: { 'last-event-id': '1' } });
  pen.write('a day [1].', '');
  const events = await readEvents(rest);
  expect(kindsOf(events)).toEqual(['token', 'citation', 'done']);
  expect(events[0]?.id).toBe('2');
  expect(await readEvents(await resume(answerId, '1'))).toEqual(events);
  await other.close();
});

test('an answer whose process died ends with an error, the same for every reader', async () => {
  const entry = JSON.stringify({ event: 'sources', data: { answerId: 'answer_lost', hits: [] } });
  await api.deps.answerLog.begin('acme', 'answer_lost', { documents: { tides: 1 }, entry });
  api.flow.ahead = 30_000;
  const events = await readEvents(await resume('answer_lost', ''));
  expect(kindsOf(events)).toEqual(['sources', 'error']);
  expect(events[1]?.data).toMatchObject({ error: { code: 'dependency_unavailable' } });
  expect(await readEvents(await resume('answer_lost', '1'))).toEqual(events.slice(1));
  expect((await resume('answer_lost', '2')).status).toBe(204);
});

test('where the log of answers is away in the middle, writer and reader wait for it', async () => {
  const { answerLog } = api.deps;
  const { append, read } = answerLog;
  pen.write('Two tides ');
  const response = await ask({ stream: true });
  let failures = 0;
  const away = async () => {
    failures += 1;
    throw new MemoryError('dependency_unavailable', 'Redis is away.');
  };
  Object.assign(answerLog, { append: away, read: away });
  pen.write('a day [1].', '');
  while (failures === 0) await new Promise((resolve) => setImmediate(resolve));
  Object.assign(answerLog, { append, read });
  expect(kindsOf(await readEvents(response))).toEqual(['sources', 'token', 'citation', 'done']);
});

test('a document that was deleted and taken in again does not bring its old answers back', async () => {
  pen.write('Two tides a day [1].', '');
  const answerId = answerIdOf(await readEvents(await ask({ stream: true })));
  await api.flow.ledger.removeDocument('acme', 'tides');
  await api.ingested('The moon is bright.', { documentId: 'tides' });
  expect((await resume(answerId, '1')).status).toBe(404);
});

test('a recorded answer is its tenant’s only, lasts ten minutes, and goes with its documents', async () => {
  pen.write('Two tides a day [1].', '');
  const answerId = answerIdOf(await readEvents(await ask({ stream: true })));
  expect((await resume(answerId, '1', { token: tokenFor('umbrella') })).status).toBe(404);
  expect((await resume(answerId, '1')).status).toBe(200);
  api.flow.ahead = 9 * 60_000;
  expect((await resume(answerId, '1')).status).toBe(200);
  api.flow.ahead = 11 * 60_000;
  expect((await resume(answerId, '1')).status).toBe(404);

  const second = answerIdOf(await readEvents(await ask({ stream: true })));
  expect((await api.call('/documents/tides', { method: 'DELETE' })).status).toBe(200);
  expect((await resume(second, '1')).status).toBe(404);
});

test('an answer whose document went through another process is not shown again either', async () => {
  pen.write('Two tides a day [1].', '');
  const answerId = answerIdOf(await readEvents(await ask({ stream: true })));
  await api.flow.ledger.removeDocument('acme', 'tides');
  expect((await resume(answerId, '1')).status).toBe(404);
});

test('a document that is deleted while its answer is written ends the answer, for its reader and for the model', async () => {
  const { asked } = watchModel();
  pen.write('Two tides ');
  const response = await ask({ stream: true });
  const { signal } = await asked;
  const stopped = once(signal, 'abort');
  expect((await api.call('/documents/tides', { method: 'DELETE' })).status).toBe(200);
  pen.write('a day [1].');
  expect(kindsOf(await readEvents(response))).not.toContain('done');
  await stopped;
});

test('a document that is deleted just as an answer begins has none', async () => {
  const { begin } = api.deps.answerLog;
  api.deps.answerLog.begin = async (...args) => {
    await begin(...args);
    await api.flow.ledger.removeDocument('acme', 'tides');
  };
  const answer = await ask({ stream: true });
  expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: 'not_found' } }]);
});

test('an answer that could not begin is not waited for by who asks the same next', async () => {
  await api.close();
  const { clock } = api.deps;
  const times = { freshMs: 60_000, embeddingFreshMs: 60_000, graceMs: 60_000 };
  const results = createResultCache({ cache: createInMemoryCache(clock), clock, ...times });
  api = await startTestApi(() => ({ languageModel: pen.model, results }));
  await api.ingested('The moon raises two tides a day.', { documentId: 'tides' });
  api.deps.answerLog.begin = async () => {
    throw new MemoryError('dependency_unavailable', 'Redis is away.');
  };
  expect((await ask({ stream: true })).status).toBe(503);
  pen.write('Two tides a day [1].', '');
  expect((await ask()).status).toBe(200);
});

test('a caller that leaves before the first event stops what was begun for it', async () => {
  const { asked } = watchModel();
  const gone = new AbortController();
  const history = [{ role: 'user', content: 'And the sun?' }];
  const left = api.post('/rag', { question: 'How many?', history, stream: true }, { signal: gone.signal });
  const { signal } = await asked;
  const stopped = once(signal, 'abort');
  gone.abort();
  await expect(left).rejects.toThrow();
  await stopped;
});

/** When the model is asked, and by which signal it is stopped. */
function watchModel() {
  const { promise: asked, resolve } = Promise.withResolvers<{ signal: AbortSignal }>();
  const { stream } = pen.model;
  pen.model.stream = (messages, options) => {
    resolve({ signal: options.signal ?? new AbortController().signal });
    return stream(messages, options);
  };
  return { asked };
}
