import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createOpenaiEmbedder } from './embedder.ts';
import { createOpenaiLanguageModel } from './language-model.ts';

/** An endpoint that speaks the protocol, and says in it what it should not. */
let server: Server;
let baseUrl: string;
let answer: (response: ServerResponse) => void;
let asked = 0;
beforeAll(async () => {
  server = createServer((_, response) => {
    asked += 1;
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const embedder = (more: object = {}) => createOpenaiEmbedder({ apiKey: 'k', baseUrl, model: 'm', ...more });
const gives = (data: unknown) => (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(data));

test.each([
  ['nothing', null, 'did not give 2 vectors'],
  ['no list', { data: 'all of them' }, 'did not give 2 vectors'],
  ['no entries', { data: [null, null] }, 'something else than vectors'],
  [
    'places that are none',
    {
      data: [
        { index: 'first', embedding: [1] },
        { index: 1, embedding: [1] },
      ],
    },
    'something else',
  ],
  ['texts', { data: ['a', 'b'].map((embedding) => ({ embedding })) }, 'something else than vectors'],
  ['empty vectors', { data: [{ embedding: [] }, { embedding: [] }] }, 'something else than vectors'],
  ['numbers that are none', { data: [{ embedding: [1, null] }, { embedding: [1, 2] }] }, 'something else than vectors'],
  ['two of one text', { data: [0, 0].map((index) => ({ index, embedding: [1, 2] })) }, 'the same text two vectors'],
  ['one beyond the last text', { data: [0, 2].map((index) => ({ index, embedding: [1, 2] })) }, 'the same text two'],
  ['one of length 0', { data: [{ embedding: [0, 0] }, { embedding: [1, 2] }] }, 'without direction'],
])('an answer with %s is refused, and nothing of it is used', async (_, data, words) => {
  answer = gives(data);
  await expect(embedder().embedPassages(['a', 'b'])).rejects.toMatchObject({
    ...{ code: 'dependency_unavailable', retry: { kind: 'wait' } },
    message: expect.stringContaining(words),
  });
});

test('vectors that do not say of which text they are come in its order', async () => {
  answer = gives({ data: [{ embedding: [3, 4] }, { embedding: [0, 2] }] });
  const [first, second] = await embedder().embedPassages(['a', 'b']);
  expect([...first!]).toEqual([0.6, 0.8].map(Math.fround));
  expect([...second!]).toEqual([0, 1]);
});

test('a model whose dimension is known needs no question to be ready', async () => {
  const before = asked;
  await embedder({ dimension: 7 }).ready();
  const dimensions = { known: async () => 5, agree: async () => 5 };
  const remembered = embedder({ dimensions });
  await remembered.ready();
  expect([asked - before, remembered.dimension]).toEqual([0, 5]);
});

test('a chat model that says nothing at all is given up, and left alone for a moment', async () => {
  answer = () => {};
  const model = createOpenaiLanguageModel({ apiKey: 'k', baseUrl, model: 'm', stallMs: 100 });
  const silent = { code: 'dependency_unavailable', message: 'The model did not answer in time.' };
  await expect(model.stream([{ role: 'user', content: 'q' }], {}).next()).rejects.toMatchObject(silent);
  const before = asked;
  await expect(model.stream([{ role: 'user', content: 'q' }], {}).next()).rejects.toMatchObject(silent);
  expect(asked).toBe(before);
});

test('a reader that leaves before the first word ends with its own reason, also where the model is silent', async () => {
  answer = () => {};
  const stop = new AbortController();
  const model = createOpenaiLanguageModel({ apiKey: 'k', baseUrl, model: 'm' });
  const first = model.stream([{ role: 'user', content: 'q' }], { signal: stop.signal }).next();
  stop.abort(new Error('the reader has gone'));
  await expect(first).rejects.toThrow('the reader has gone');
});
