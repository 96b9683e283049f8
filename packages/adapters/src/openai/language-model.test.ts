import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ChatMessage, LanguageModel } from '@semantic-memory/shared/ports/language-model';
import { type OpenaiServer, startOpenaiServer } from '@semantic-memory/shared/testing/openai-server';
import { createOpenaiLanguageModel } from './language-model.ts';

let server: OpenaiServer;
beforeAll(async () => {
  server = await startOpenaiServer();
});
afterAll(() => server.close());

const model = (more: object = {}) =>
  createOpenaiLanguageModel({ apiKey: 'sk-test', baseUrl: server.url, model: 'echo', stallMs: 2000, ...more });
const prompt = (question: string): ChatMessage[] => [
  { role: 'system', content: 'Answer from the passages.' },
  {
    role: 'user',
    content:
      '<passage-1f>\nnumber: 1\ntitle: "Boats"\n\nThe harbour opens at six.\n</passage-1f>\n\n' +
      `<passage-1f>\nnumber: 2\ntitle: "Lamps"\n\nIt rains. The lantern burns whale oil.\n</passage-1f>\n\nQuestion: ${question}`,
  },
];

async function read(stream: ReturnType<LanguageModel['stream']>) {
  const parts: string[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done) return { parts, usage: next.value };
    parts.push(next.value);
  }
}

test('streams the answer word by word and returns the usage', async () => {
  const { parts, usage } = await read(model().stream(prompt('What does the lantern burn?'), {}));
  expect(parts.join('')).toBe('The lantern burns whale oil [2].');
  expect(parts.length).toBeGreaterThan(3);
  expect(usage.completionTokens).toBe(parts.length);
  expect(usage.promptTokens).toBeGreaterThan(10);
  expect(server.requests.at(-1)).toMatchObject({ body: { model: 'echo', stream_options: { include_usage: true } } });
});

test('uses the model that the caller names', async () => {
  const { parts } = await read(model().stream(prompt('Which elephants?'), { model: 'another' }));
  expect(parts.join('')).toMatch(/^NO_ANSWER/);
  expect(server.requests.at(-1)!.body.model).toBe('another');
});

test.each([{ kind: 'cut' as const }, { kind: 'unfinished' as const }])(
  'takes no half answer for a whole one: %j',
  async (fault) => {
    server.failNext(fault);
    await expect(read(model().stream(prompt('What does the lantern burn?'), {}))).rejects.toMatchObject({
      code: 'dependency_unavailable',
    });
  },
);

test('gives up a model that stops in mid-answer', async () => {
  server.failNext({ kind: 'stall' });
  const stream = model({ stallMs: 2000 }).stream(prompt('What does the lantern burn?'), {});
  expect(await stream.next()).toEqual({ done: false, value: 'The ' });
  await expect(stream.next()).rejects.toMatchObject({ code: 'dependency_unavailable', retry: { kind: 'wait' } });
});

test('a model that stalled is left alone for a moment, so that one reader waits for all', async () => {
  const states: string[] = [];
  const stalling = model({ stallMs: 2000, onBreakerState: (state: string) => states.push(state) });
  server.failNext({ kind: 'stall' });
  await expect(read(stalling.stream(prompt('What does the lantern burn?'), {}))).rejects.toMatchObject({
    code: 'dependency_unavailable',
  });
  const asked = server.requests.length;
  const startedAt = Date.now();
  await expect(read(stalling.stream(prompt('Again?'), {}))).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(Date.now() - startedAt).toBeLessThan(1500);
  expect(server.requests).toHaveLength(asked);
  expect(states).toEqual(['open']);
});

test('stops where its signal fires in mid-answer', async () => {
  const controller = new AbortController();
  server.failNext({ kind: 'stall' });
  const stream = model().stream(prompt('What does the lantern burn?'), { signal: controller.signal });
  await stream.next();
  controller.abort(new Error('the reader has gone'));
  await expect(stream.next()).rejects.toThrow('the reader has gone');
});

test.each([
  [429, { 'retry-after': '4' }, 'dependency_unavailable', { kind: 'wait', afterMs: 4000 }],
  [500, {}, 'dependency_unavailable', { kind: 'wait', afterMs: 2000 }],
  [401, {}, 'dependency_unavailable', { kind: 'wait', afterMs: 20_000 }],
  [400, {}, 'unprocessable', { kind: 'never' }],
])('says what a status %d means', async (status, headers, code, retry) => {
  server.failNext({ kind: 'status', status, headers });
  await expect(read(model().stream(prompt('Anything?'), {}))).rejects.toMatchObject({ code, retry });
});
