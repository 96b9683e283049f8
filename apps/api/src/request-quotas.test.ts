import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import type { QuotaKind } from '@semantic-memory/shared/contracts/quotas';
import { createInMemoryQuotas, type InMemoryQuotas } from '@semantic-memory/shared/testing/in-memory-quotas';
import type { ApiDeps } from './api-deps.ts';
import { startTestApi, type TestApi, tokenFor } from './testing/test-api.ts';

const open: TestApi[] = [];
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

async function startWith(left: Partial<Record<QuotaKind, number>>): Promise<{ api: TestApi; quotas: InMemoryQuotas }> {
  const quotas = createInMemoryQuotas(left);
  const api = await startTestApi(undefined, undefined, { quotas });
  open.push(api);
  return { api, quotas };
}

const text = (length: number) => ({ source: { type: 'text', text: 'x'.repeat(length) } });

test('a request too many is 429 and says when to come again; one that may not be made costs nothing', async () => {
  const { api, quotas } = await startWith({ requests: 2 });
  expect((await api.call('/stats', { token: tokenFor('acme', { scope: '' }) })).status).toBe(403);
  expect((await api.call('/stats')).status).toBe(200);
  expect((await api.call('/jobs/unknown')).status).toBe(404);
  expect(quotas.left.requests).toBe(0);
  const refused = await api.call('/stats');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('7200');
  expect(await refused.json()).toMatchObject({ error: { code: 'rate_limited', requestId: expect.any(String) } });
});

test('each query and each document of a batch is a request', async () => {
  const { api, quotas } = await startWith({ requests: 100 });
  const queries = Array.from({ length: 10 }, () => ({ query: 'x' }));
  expect((await api.post('/search/batch', { queries })).status).toBe(200);
  expect(quotas.left.requests).toBe(90);
  expect((await api.post('/ingest/batch', { items: [text(1), text(2), text(3)] })).status).toBe(202);
  expect(quotas.left.requests).toBe(87);
});

test('the body of a document counts before it is read, and is not read where it is too much', async () => {
  const { api, quotas } = await startWith({ bytes: 1000 });
  expect((await api.post('/ingest', text(500))).status).toBe(202);
  const left = quotas.left.bytes ?? 0;
  expect(left).toBeLessThan(500);
  expect(left).toBeGreaterThan(400);
  const refused = await api.post('/ingest', text(500));
  expect(refused.status).toBe(429);
  expect(quotas.left.bytes).toBe(left);
  expect(api.flow.queue.waiting).toHaveLength(1);
  // What is asked, and what is read, is no document.
  expect((await api.post('/search', { query: 'y'.repeat(900) })).status).toBe(200);
  expect((await api.call('/documents')).status).toBe(200);
});

test('a body that does not say its length counts as the largest until it has ended', async () => {
  const { api, quotas } = await startWith({ bytes: 3_000_000 });
  const pieces = () => ReadableStream.from([new TextEncoder().encode(JSON.stringify(text(2000)))]);
  const send = () =>
    api.call('/ingest', {
      method: 'POST',
      body: pieces(),
      headers: { 'content-type': 'application/json' },
      duplex: 'half',
    } as RequestInit);
  expect((await send()).status).toBe(202);
  expect((await send()).status).toBe(202);
  const used = 3_000_000 - (quotas.left.bytes ?? 0);
  expect(used).toBeGreaterThan(4000);
  expect(used).toBeLessThan(8000);
  quotas.left.bytes = 500_000;
  expect((await send()).status).toBe(429);
});

test('of an upload that breaks off what did not come is given back', async () => {
  const { api, quotas } = await startWith({ bytes: 600_000 });
  const socket = connect(api.server.port, '127.0.0.1');
  socket.write(
    `POST ${apiPrefix}/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenFor('acme')}\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 500000\r\n\r\n' +
      `--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${'x'.repeat(1000)}`,
  );
  while (quotas.left.bytes !== 100_000) await new Promise((resolve) => setTimeout(resolve, 5));
  socket.destroy();
  while (quotas.left.bytes === 100_000) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(quotas.left.bytes).toBeGreaterThan(595_000);
  expect(quotas.left.bytes).toBeLessThan(599_000);
});

test.each([
  ['pages', ['/ingest', '/ingest/batch']],
  ['tokens', ['/ingest', '/ingest/batch', '/rag', '/admin/reindex']],
] as const)('where no %s are left, what would use some is refused, and the rest is not', async (kind, refused) => {
  const { api } = await startWith({ [kind]: 0 });
  for (const path of refused) expect([path, (await api.post(path, {})).status]).toEqual([path, 429]);
  expect((await api.post('/search', { query: 'x' })).status).toBe(200);
  expect((await api.call('/documents/none', { method: 'DELETE' })).status).toBe(404);
});

test('an archive that does not say its length counts as the largest until it has ended', async () => {
  const { api, quotas } = await startWith({ bytes: 10_000_000 });
  const left: (number | undefined)[] = [];
  const pieces = async function* () {
    yield new Uint8Array(1000);
    while (quotas.left.bytes === 10_000_000) await new Promise((resolve) => setImmediate(resolve));
    left.push(quotas.left.bytes);
  };
  const answer = await api.call('/admin/import', {
    method: 'POST',
    body: ReadableStream.from(pieces()),
    headers: { 'content-type': 'application/x-tar' },
    duplex: 'half',
  } as RequestInit);
  expect(answer.status).toBe(422);
  expect(left).toEqual([0]);
  while (quotas.left.bytes === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(quotas.left.bytes).toBeGreaterThan(9_990_000);
});

test('a request that has neither body nor length costs no bytes', async () => {
  const { api, quotas } = await startWith({ bytes: 1000 });
  const socket = connect(api.server.port, '127.0.0.1');
  socket.write(`POST ${apiPrefix}/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenFor('acme')}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
  expect(quotas.left.bytes).toBe(1000);
});

test('where what was used cannot be counted afterwards, the caller has its answer and the log says so', async () => {
  const warned = Promise.withResolvers<string>();
  const logger: ApiDeps['logger'] = {
    debug: () => {},
    info: () => {},
    warn: (message) => warned.resolve(message),
    error: () => {},
    child: () => logger,
  };
  const quotas = createInMemoryQuotas({ bytes: 3_000_000 });
  quotas.count = () => Promise.reject(new MemoryError('dependency_unavailable', 'Redis is away.'));
  const api = await startTestApi(() => ({ logger }), undefined, { quotas });
  open.push(api);
  const answer = await api.call('/ingest', {
    method: 'POST',
    body: ReadableStream.from([new TextEncoder().encode(JSON.stringify(text(100)))]),
    headers: { 'content-type': 'application/json' },
    duplex: 'half',
  } as RequestInit);
  expect(answer.status).toBe(202);
  expect(await warned.promise).toBe('what a request used could not be counted');
});
