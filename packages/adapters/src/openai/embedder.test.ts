import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { bagOfWords } from '@semantic-memory/shared/testing/fake-embedder';
import { type OpenaiServer, startOpenaiServer } from '@semantic-memory/shared/testing/openai-server';
import { createOpenaiEmbedder } from './embedder.ts';

let server: OpenaiServer;
beforeAll(async () => {
  server = await startOpenaiServer();
});
afterAll(() => server.close());
let seen = 0;
afterEach(() => {
  seen = server.requests.length;
});

const embedder = (more: object = {}) =>
  createOpenaiEmbedder({ apiKey: 'sk-test', baseUrl: server.url, model: 'bag-of-words', timeoutMs: 2000, ...more });

test('gives one unit vector a text, in order, in calls of at most 256 texts', async () => {
  const texts = Array.from({ length: 600 }, (_, i) => `text number ${i}`);
  const vectors = await embedder().embedPassages(texts);
  vectors.forEach((vector, i) => {
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    expect(vector[3]).toBeCloseTo(bagOfWords(texts[i]!)[3]!, 5);
  });
  const calls = server.requests.slice(seen);
  expect(calls.map((call) => call.body.input.length)).toEqual([256, 256, 88]);
  expect(calls[0]).toMatchObject({ path: '/v1/embeddings', authorization: 'Bearer sk-test' });
});

test('finds out the dimension of a model that it does not know, and knows those of OpenAI', async () => {
  const unknown = embedder();
  expect(unknown.dimension).toBe(0);
  await unknown.ready();
  expect(unknown.dimension).toBe(64);
  expect(createOpenaiEmbedder({ apiKey: 'x', model: 'text-embedding-3-small' }).dimension).toBe(1536);
});

test('asks a model that can to shorten its vectors, and embeds an empty text', async () => {
  await embedder({ model: 'text-embedding-3-large', dimension: 64 }).embedPassages(['']);
  expect(server.requests.at(-1)!.body).toMatchObject({ dimensions: 64, input: [' '] });
});

test.each([
  [{ kind: 'wrong-dimension' as const }, '63 numbers'],
  [{ kind: 'wrong-count' as const }, '2 vectors'],
])('refuses an answer that is not what was asked for: %j', async (fault, words) => {
  const model = embedder({ dimension: 64 });
  server.failNext(fault);
  await expect(model.embedPassages(['a', 'b'])).rejects.toMatchObject({
    code: 'dependency_unavailable',
    message: expect.stringContaining(words),
    retry: { kind: 'wait' },
  });
});

test.each([
  [429, { 'retry-after': '7' }, 'dependency_unavailable', { kind: 'wait', afterMs: 7000 }],
  [429, {}, 'dependency_unavailable', { kind: 'wait', afterMs: 5000 }],
  [503, { 'retry-after': '3' }, 'dependency_unavailable', { kind: 'wait', afterMs: 3000 }],
  [500, {}, 'dependency_unavailable', { kind: 'wait', afterMs: 2000 }],
  [401, {}, 'dependency_unavailable', { kind: 'wait', afterMs: 20_000 }],
  [403, {}, 'dependency_unavailable', { kind: 'wait', afterMs: 20_000 }],
  [404, {}, 'dependency_unavailable', { kind: 'wait', afterMs: 20_000 }],
  [400, {}, 'embedding_rejected', { kind: 'never' }],
  [413, {}, 'embedding_rejected', { kind: 'never' }],
])('says what a status %d means (%j): %s, %j', async (status, headers, code, retry) => {
  server.failNext({ kind: 'status', status, headers });
  await expect(embedder().embedQuery('a question')).rejects.toMatchObject({ code, retry });
  expect(server.requests.length - seen).toBe(1);
});

test('waits until the date that a 429 names', async () => {
  const inOneMinute = new Date(Date.now() + 60_000).toUTCString();
  server.failNext({ kind: 'status', status: 429, headers: { 'retry-after': inOneMinute } });
  const error = await embedder()
    .embedQuery('a question')
    .catch((thrown) => thrown);
  expect(error.retry.afterMs).toBeGreaterThan(50_000);
  expect(error.retry.afterMs).toBeLessThanOrEqual(60_000);
});

test('takes a server that is silent, cuts off or is not there for one that is away', async () => {
  server.failNext({ kind: 'stall' }, { kind: 'cut' });
  const away = { code: 'dependency_unavailable', retry: { kind: 'wait' } };
  await expect(embedder({ timeoutMs: 200 }).embedQuery('a question')).rejects.toMatchObject(away);
  await expect(embedder().embedQuery('a question')).rejects.toMatchObject(away);
  await expect(embedder({ baseUrl: 'http://127.0.0.1:1/v1' }).embedQuery('a question')).rejects.toMatchObject(away);
});

test('an endpoint that asks for time gets it, from every caller of this process', async () => {
  const states: string[] = [];
  const model = embedder({ onBreakerState: (state: string) => states.push(state) });
  server.failNext({ kind: 'status', status: 429, headers: { 'retry-after-ms': '300' } });
  await expect(model.embedQuery('a')).rejects.toMatchObject({ retry: { kind: 'wait', afterMs: 300 } });
  const asked = server.requests.length;
  await expect(model.embedQuery('b')).rejects.toMatchObject({
    message: 'The model asks to be called less often.',
    retry: { kind: 'wait' },
  });
  expect(model.outage?.()).toBeDefined();
  expect(server.requests).toHaveLength(asked);
  while (model.outage?.()) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await model.embedQuery('c')).toHaveLength(64);
  expect(states).toEqual(['open', 'half_open', 'closed']);
});

test('a body that stalls costs one deadline', async () => {
  server.failNext({ kind: 'stall-body' });
  await expect(embedder({ timeoutMs: 200 }).embedQuery('a')).rejects.toMatchObject({
    code: 'dependency_unavailable',
    message: 'The model did not answer in time.',
  });
});

test('a process that has only just started refuses vectors of another dimension than the model had before', async () => {
  let agreed: number | undefined;
  const dimensions = {
    known: async () => agreed,
    agree: async (_model: string, dimension: number) => {
      agreed ??= dimension;
      return agreed;
    },
  };
  await embedder({ dimensions }).embedQuery('a');
  expect(agreed).toBe(64);
  server.failNext({ kind: 'wrong-dimension' });
  const later = embedder({ dimensions });
  await expect(later.embedQuery('a')).rejects.toMatchObject({
    code: 'dependency_unavailable',
    message: expect.stringContaining('63 numbers'),
  });
  expect(await later.embedQuery('a')).toHaveLength(64);
});

test('stops where its signal fires', async () => {
  const controller = new AbortController();
  server.failNext({ kind: 'stall' });
  const waiting = embedder().embedPassages(['a'], controller.signal);
  controller.abort(new Error('cancelled by the caller'));
  await expect(waiting).rejects.toThrow('cancelled by the caller');
  await expect(embedder().embedQuery('a', controller.signal)).rejects.toThrow('cancelled by the caller');
  // The fault may be left over where the request never left; it must not reach the next test.
  if (server.requests.length === seen)
    await embedder({ timeoutMs: 100 })
      .embedQuery('a')
      .catch(() => {});
});
