import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { json as readJson } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { apiPrefix, type Endpoint } from '@semantic-memory/shared/contracts/http/endpoint';
import { endpoints } from '@semantic-memory/shared/contracts/http/endpoints';
import type { ApiDeps } from './api-deps.ts';
import { startTestApi, type TestApi, tokenFor } from './testing/test-api.ts';

const lines: { message: string; fields: Record<string, unknown> | undefined }[] = [];
const note = (message: string, fields?: Record<string, unknown>) => void lines.push({ message, fields });
const logger: ApiDeps['logger'] = { debug: note, info: note, warn: note, error: note, child: () => logger };

let api: TestApi;
let redisUp = true;
beforeAll(async () => {
  api = await startTestApi((deps) => ({
    logger,
    corsOrigins: ['https://app.example'],
    dependencies: [
      {
        name: 'redis',
        needed: true,
        check: async () => {
          if (!redisUp) throw new Error('connect ECONNREFUSED 10.0.0.7');
        },
      },
    ],
    ledger: {
      ...deps.ledger,
      listJobs: async () => {
        throw new TypeError('secret detail of the inside');
      },
      listDocuments: async () => {
        throw new MemoryError('dependency_unavailable', 'The ledger is away.', {
          retry: { kind: 'wait', afterMs: 2500 },
        });
      },
    },
  }));
});
afterAll(() => api.close());

describe('errors', () => {
  const json = { 'content-type': 'application/json' };
  const cases: [string, string, RequestInit, number, string][] = [
    ['malformed JSON', '/search', { method: 'POST', body: '{"query":', headers: json }, 400, 'invalid_request'],
    ['no body', '/search', { method: 'POST', headers: json }, 400, 'invalid_request'],
    ['a body that is no object', '/search', { method: 'POST', body: '[]', headers: json }, 400, 'invalid_request'],
    [
      'form data where JSON belongs',
      '/search',
      { method: 'POST', body: new URLSearchParams({ query: 'x' }) },
      415,
      'unsupported_media_type',
    ],
    ['a file where JSON belongs', '/search', { method: 'POST', body: new FormData() }, 415, 'unsupported_media_type'],
    [
      'text where JSON or a form belongs',
      '/ingest',
      { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_media_type',
    ],
    [
      'bytes of no type where JSON belongs',
      '/search',
      { method: 'POST', body: new Uint8Array(1) },
      415,
      'unsupported_media_type',
    ],
    [
      'an unknown compression',
      '/search',
      { method: 'POST', body: '{}', headers: { ...json, 'content-encoding': 'zip' } },
      415,
      'unsupported_media_type',
    ],
    [
      'a body too large',
      '/search',
      { method: 'POST', body: `{"query":"${'x'.repeat(200_000)}"}`, headers: json },
      413,
      'request_too_large',
    ],
    ['an unknown route', '/nothing', {}, 404, 'not_found'],
    ['another method', '/search', { method: 'PUT', body: '{}', headers: json }, 405, 'invalid_request'],
    ['a broken escape in the path', '/documents/%E0%A4%A', {}, 400, 'invalid_request'],
    ['an unknown job', '/jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FAV', {}, 404, 'not_found'],
    ['what is no job id', '/jobs/..%2F..%2Fetc', {}, 404, 'not_found'],
    ['an unknown document', '/documents/nothing', {}, 404, 'not_found'],
    ['what is no document id', '/documents/a%20b%00', {}, 404, 'not_found'],
    ['an unknown batch', '/ingest/batches/x', {}, 404, 'not_found'],
    ['an unknown answer', '/rag/x/events', {}, 404, 'not_found'],
    ['an unknown query parameter', '/stats?tenant=umbrella', {}, 400, 'invalid_request'],
    ['a limit out of range', '/documents?limit=1000', {}, 400, 'invalid_request'],
    ['a parameter given twice', '/documents?limit=1&limit=2', {}, 400, 'invalid_request'],
    ['a dependency away', '/documents', {}, 503, 'dependency_unavailable'],
    ['a fault of ours', '/jobs', {}, 500, 'internal'],
  ];
  test.each(cases)('%s', async (_name, path, init, status, code) => {
    const answer = await api.call(path, init);
    const text = await answer.text();
    expect({ status: answer.status, code: JSON.parse(text).error.code }).toEqual({ status, code });
    expect(JSON.parse(text).error).toMatchObject({
      message: expect.any(String),
      requestId: answer.headers.get('x-request-id'),
    });
    expect(text).not.toMatch(/secret detail|node_modules|at .*:\d+/);
  });

  test('all faults of a request are listed with their places', async () => {
    const answer = await api.post('/search?verbose=1', {
      query: ' ',
      topK: 1000,
      filtre: {},
      filter: { a: { $regex: 'x' } },
    });
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: { details: { faults: { path: string }[] } } };
    expect(error.details.faults.map((fault) => fault.path).sort()).toEqual([
      'body.filter.a',
      'body.filtre',
      'body.query',
      'body.topK',
      'query.verbose',
    ]);
  });

  test('a type that is not understood is answered with those that are', async () => {
    const answer = await api.call('/ingest', { method: 'POST', body: new Uint8Array(1) });
    expect(await answer.json()).toMatchObject({
      error: {
        message: 'The body comes as no Content-Type, which is not understood here.',
        details: { detected: 'no Content-Type', supported: ['application/json', 'multipart/form-data'] },
      },
    });
  });

  test('a request that says nothing of a body has none', async () => {
    const socket = connect(api.server.port, '127.0.0.1');
    socket.end(
      `POST ${apiPrefix}/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenFor('acme')}\r\nConnection: close\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
    socket.destroy();
  });

  test('503 says when to come again, 405 says what is possible', async () => {
    expect((await api.call('/documents')).headers.get('retry-after')).toBe('3');
    expect((await api.call('/search')).headers.get('allow')).toBe('POST');
  });

  test('the cause of an internal error is logged, not sent', async () => {
    lines.length = 0;
    const answer = await api.call('/jobs', { headers: { 'x-request-id': 'my-request.1' } });
    expect(answer.headers.get('x-request-id')).toBe('my-request.1');
    const failed = lines.find((line) => line.message === 'a request failed');
    expect(failed?.fields).toMatchObject({
      requestId: 'my-request.1',
      error: { message: 'secret detail of the inside' },
    });
  });

  test('a request id that could forge a log line or a header is replaced', async () => {
    const answer = await api.call('/stats', { headers: { 'x-request-id': 'a b"c' } });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('every route of the table', () => {
  const pathOf = (endpoint: Endpoint) => endpoint.path.replaceAll(/\{\w+\}/g, 'x');
  test.each(Object.values(endpoints) as Endpoint[])('$id asks for a token, then for its scopes', async (endpoint) => {
    const method = endpoint.method.toUpperCase();
    expect((await api.call(pathOf(endpoint), { method, token: '' })).status).toBe(401);
    const answer = await api.call(pathOf(endpoint), { method, token: tokenFor('acme', { scope: '' }) });
    expect(answer.status).toBe(403);
  });
});

describe('open routes', () => {
  test.each(['/health/live', '/health/ready', '/openapi.json', '/docs', '/'])(
    'another method than GET is refused at %s as at any other route',
    async (path) => {
      for (const method of ['TRACE', 'POST', 'DELETE']) {
        const asked = request({ port: api.server.port, path, method }).end();
        const [answer] = (await once(asked, 'response')) as [IncomingMessage];
        expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET']);
        const { error } = (await readJson(answer)) as { error: object };
        expect(error).toMatchObject({ code: 'invalid_request', message: `${method} is not possible here.` });
      }
      expect((await fetch(api.origin + path, { method: 'HEAD' })).status).toBe(200);
    },
  );

  test('liveness and readiness, with each dependency by name and without its address', async () => {
    expect(await (await fetch(`${api.origin}/health/live`)).json()).toEqual({ state: 'live', eventLoopLagMs: 0 });
    expect((await fetch(`${api.origin}/health/ready`)).status).toBe(200);
    redisUp = false;
    const answer = await fetch(`${api.origin}/health/ready`);
    redisUp = true;
    expect(answer.status).toBe(503);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({
      state: 'not ready',
      dependencies: { redis: { state: 'down', needed: true } },
    });
    expect(text).not.toContain('10.0.0.7');
  });

  test('the pages are whole, and run nothing', async () => {
    for (const path of ['/', '/docs']) {
      const answer = await fetch(api.origin + path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
      const html = await answer.text();
      expect(html).not.toMatch(/<script|src="http|href="http/);
      expect(html).toContain('</html>');
    }
    const docs = await (await fetch(`${api.origin}/docs`)).text();
    for (const endpoint of Object.values(endpoints)) expect(docs).toContain(apiPrefix + endpoint.path);
  });

  test('the document of the interface needs no token', async () => {
    const answer = await fetch(`${api.origin}/openapi.json`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ openapi: '3.1.0', info: { title: 'semantic-memory' } });
  });

  test('the start page shows what is away, and who it is not', async () => {
    redisUp = false;
    const page = await (await fetch(api.origin)).text();
    redisUp = true;
    expect(page).toContain('<td class="down">down</td>');
    expect(page).not.toContain('10.0.0.7');
    expect(await (await fetch(api.origin)).text()).toContain('<td>up</td>');
  });

  test('the metrics are not here', async () => {
    expect((await fetch(`${api.origin}/metrics`)).status).toBe(404);
  });

  test('only configured origins may read answers', async () => {
    const allowed = await fetch(`${api.origin}/health/live`, { headers: { origin: 'https://app.example' } });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    const other = await fetch(`${api.origin}/health/live`, { headers: { origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await fetch(`${api.origin}${apiPrefix}/search`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
  });
});

describe('the end', () => {
  test('readiness says so first, requests are still answered, then the port closes', async () => {
    const ending = await startTestApi();
    ending.deps.lifecycle.drain();
    const ready = await fetch(`${ending.origin}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ state: 'shutting down' });
    const answer = await ending.call('/stats');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('connection')).toBe('close');
    await ending.close();
    await expect(fetch(`${ending.origin}/health/live`)).rejects.toThrow();
  });

  test('a connection that never ends its request does not hold the end up', async () => {
    const ending = await startTestApi();
    const socket = connect(ending.server.port, '127.0.0.1');
    socket.write('POST /api/v1/memory/search HTTP/1.1\r\nHost: x\r\n');
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await ending.server.close({ drainMs: 0, graceMs: 50 });
    await closed;
  });
});
