import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { BreakerState } from '../breaker/breaker.ts';
import { createEndpointReranker, type RerankEndpoint } from './endpoint.ts';

interface Asked {
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly query: string;
    readonly documents: string[];
    readonly top_n: number;
  };
}

let server: Server;
let baseUrl = '';
let asked: Asked[] = [];
/** Scores by shared words, unless a test says otherwise. */
let answer: (response: ServerResponse, asked: Asked) => void = byWords;

function byWords(response: ServerResponse, { body }: Asked): void {
  const words = body.query.split(' ');
  const results = body.documents
    .map((text, index) => ({ index, relevance_score: words.filter((word) => text.includes(word)).length / 10 }))
    .sort((a, b) => b.relevance_score - a.relevance_score);
  json(response, 200, { id: 'r', results });
}

function json(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

beforeAll(async () => {
  server = createServer(async (request: IncomingMessage, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString());
    const one: Asked = { url: request.url, authorization: request.headers.authorization, body };
    asked.push(one);
    answer(response, one);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/`;
});
beforeEach(() => {
  asked = [];
  answer = byWords;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const create = (more: Partial<RerankEndpoint> = {}) =>
  createEndpointReranker({ baseUrl, model: 'rerank-1', apiKey: 'a-key', timeoutMs: 5000, ...more });
const query = { tenant: 'acme', model: 'm', text: 'lamp sea' };
const passages = ['Pines grow.', 'A lamp at sea.', 'A lamp.'].map((text, index) => ({
  ...{ documentId: `d${index}`, version: 1, index: 0, text },
  title: index === 0 ? '' : 'Ships',
}));
const away = { code: 'dependency_unavailable' };

test('asks in the way of Cohere, and gives the scores in the order of the passages', async () => {
  expect(await create().rerank(query, passages)).toEqual({ scores: [0, 0.2, 0.1] });
  expect(asked).toEqual([
    {
      url: '/v2/rerank',
      authorization: 'Bearer a-key',
      body: {
        model: 'rerank-1',
        query: 'lamp sea',
        documents: ['Pines grow.', 'Ships\nA lamp at sea.', 'Ships\nA lamp.'],
        top_n: 3,
      },
    },
  ]);
  await create({ apiKey: undefined }).rerank(query, passages);
  expect(asked[1]?.authorization).toBeUndefined();
});

test('passages that the endpoint leaves out have no score', async () => {
  answer = (response) => json(response, 200, { results: [{ index: 2, relevance_score: 0.5 }] });
  expect(await create().rerank(query, passages)).toEqual({ scores: [undefined, undefined, 0.5] });
});

test.each([
  ['no list', {}],
  ['an unknown passage', { results: [{ index: 3, relevance_score: 1 }] }],
  ['a score that is none', { results: [{ index: 0, relevance_score: 'high' }] }],
])('an answer with %s cannot be used', async (_name, value) => {
  answer = (response) => json(response, 200, value);
  await expect(create().rerank(query, passages)).rejects.toMatchObject(away);
});

test.each([400, 401, 404, 422, 429, 500, 503])('status %d is an endpoint that is away', async (status) => {
  answer = (response) => json(response, status, { message: 'A lamp at sea.' });
  const error = await create()
    .rerank(query, passages)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject(away);
  // What it says may quote the passages.
  expect(`${error}${(error as Error).cause}`).not.toContain('lamp');
});

test('a redirect is not followed: the key is for the configured host', async () => {
  answer = (response) => response.writeHead(307, { location: `${baseUrl}elsewhere` }).end();
  await expect(create().rerank(query, passages)).rejects.toMatchObject(away);
  expect(asked).toHaveLength(1);
});

test('no JSON, a cut connection and a flood are an endpoint that is away', async () => {
  const faults: ((response: ServerResponse) => unknown)[] = [
    (response) => response.end('<html>'),
    (response) => response.destroy(),
    (response) => response.end(`[${'1,'.repeat(5 * 2 ** 20)}1]`),
  ];
  for (const fault of faults) {
    answer = fault;
    await expect(create().rerank(query, passages)).rejects.toMatchObject(away);
  }
});

test('an endpoint that hangs is waited for once, then left alone, and used again when it answers', async () => {
  const states: BreakerState[] = [];
  const reranker = create({ timeoutMs: 50, onBreakerState: (state) => states.push(state) });
  answer = () => {};
  await expect(reranker.rerank(query, passages)).rejects.toMatchObject(away);
  await expect(reranker.rerank(query, passages)).rejects.toMatchObject(away);
  expect(asked).toHaveLength(1);
  expect(states).toEqual(['open']);
  answer = byWords;
  const until = performance.now() + 10_000;
  let scores: readonly (number | undefined)[] = [];
  while (scores.length === 0 && performance.now() < until) {
    scores = (await reranker.rerank(query, passages).catch(() => ({ scores: [] }))).scores;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(scores).toEqual([0, 0.2, 0.1]);
  expect(states.at(-1)).toBe('closed');
});

test('a search that is cancelled ends with its own reason', async () => {
  answer = () => {};
  const controller = new AbortController();
  const running = create().rerank(query, passages, controller.signal);
  controller.abort(new Error('the caller left'));
  await expect(running).rejects.toThrow('the caller left');
});

test.each([
  ['7', 7000],
  ['3600', 60_000],
  ['Wed, 21 Oct 2026 07:28:00 GMT', 2000],
])('an endpoint that asks to be left alone for %j is left alone for %d ms', async (retryAfter, ms) => {
  answer = (response) => json(response, 429, {}, { 'retry-after': retryAfter });
  const reranker = create();
  await expect(reranker.rerank(query, passages)).rejects.toMatchObject(away);
  const again = await reranker.rerank(query, passages).catch((thrown: MemoryError) => thrown);
  const waits = again instanceof MemoryError && again.retry.kind === 'wait' ? again.retry.afterMs : 0;
  expect(waits).toBeLessThanOrEqual(ms);
  expect(waits).toBeGreaterThan(ms / 2);
  expect(asked).toHaveLength(1);
});

test('an endpoint that asks for no time at all is asked again soon', async () => {
  answer = (response) => json(response, 429, {}, { 'retry-after': '0' });
  const reranker = create();
  while (asked.length < 2) await reranker.rerank(query, passages).catch(() => {});
});

test('an answer that is nothing, or none at all, cannot be used', async () => {
  for (const body of ['null', '']) {
    answer = (response) => response.end(body);
    await expect(create().rerank(query, passages)).rejects.toMatchObject(away);
  }
});

test('it suits every query: what it is asked is up to the configuration', () => {
  expect(create().suits(query)).toBe(true);
});
