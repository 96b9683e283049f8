import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import type { ApiDeps } from './api-deps.ts';
import { startTestApi, type TestApi, tokenFor } from './testing/test-api.ts';

const lines: string[] = [];
const logger: ApiDeps['logger'] = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (message) => lines.push(message),
  child: () => logger,
};

let api: TestApi;
const requests: { status: string }[] = [];
const started = (uploadIdleMs: number) =>
  startTestApi((deps) => ({
    logger,
    limits: { ...deps.limits, uploadIdleMs, maxArchiveBytes: 100_000 },
    metrics: { ...deps.metrics, httpRequest: (_method, _route, status) => void requests.push({ status }) },
  }));
beforeEach(async () => {
  lines.length = 0;
  requests.length = 0;
  api = await started(5000);
});
afterEach(() => api.close());

const kept = () => [...api.flow.blobs.blobs.keys()];
const send = (body: RequestInit['body'], type: string | undefined = 'application/x-tar') =>
  api.call('/admin/import', {
    method: 'POST',
    body: body ?? null,
    headers: type ? { 'content-type': type } : {},
    duplex: 'half',
  } as RequestInit);

/** Begins to send an archive, and does not end. */
function begin() {
  const socket = connect(api.server.port, '127.0.0.1').on('error', () => {});
  socket.write(
    `POST ${apiPrefix}/admin/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenFor('acme')}\r\n` +
      `Content-Type: application/x-tar\r\nContent-Length: 50000\r\n\r\n${'x'.repeat(20_000)}`,
  );
  return socket;
}

test('an export can be asked about without being made', async () => {
  await api.ingested('Tides.');
  api.flow.blobs.unavailable = true;
  const answer = await api.call('/admin/export', { method: 'HEAD' });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-tar']);
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="default.tar"');
  expect((await api.call('/admin/export?namespace=none', { method: 'HEAD' })).status).toBe(404);
});

test('an export that breaks off in the middle is no whole answer, and the log says why', async () => {
  await api.ingested('Tides.');
  api.flow.blobs.getStream = async () => {
    throw new MemoryError('dependency_unavailable', 'The blob store is away.');
  };
  const broken = api.call('/admin/export').then((answer) => answer.arrayBuffer());
  await expect(broken).rejects.toThrow();
  expect(lines).toContain('an export broke off');
});

test('an export that the caller breaks off is no fault of ours', async () => {
  await api.ingested('Tides.');
  const begun = Promise.withResolvers<void>();
  api.flow.blobs.getStream = async () => ({
    bytes: 2 ** 30,
    stream: (async function* () {
      begun.resolve();
      for (;;) yield new Uint8Array(65_536);
    })(),
  });
  const leave = new AbortController();
  const answer = await api.call('/admin/export', { signal: leave.signal });
  expect(answer.status).toBe(200);
  await begun.promise;
  requests.length = 0;
  leave.abort();
  while (requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(lines).toEqual([]);
});

test('an archive that says nothing of its type is taken for one, and looked into', async () => {
  const answer = await send(new Uint8Array(1024), '');
  expect([answer.status, await answer.json()]).toMatchObject([422, { error: { code: 'unprocessable' } }]);
});

test('a form with a field too many, or without its file, is refused, and nothing is kept of it', async () => {
  const more = new FormData();
  more.append('file', new Blob(['x']), 'memory.tar');
  more.append('namespace', 'copies');
  const unknown = await api.call('/admin/import', { method: 'POST', body: more });
  expect([unknown.status, await unknown.json()]).toMatchObject([
    400,
    { error: { message: 'fields.namespace: is not known here' } },
  ]);
  const none = new Request('http://x', { method: 'POST', body: new FormData() });
  const missing = await send(await none.clone().arrayBuffer(), none.headers.get('content-type') ?? '');
  expect([missing.status, await missing.json()]).toMatchObject([400, { error: { message: 'files.file: is missing' } }]);
  expect(kept()).toEqual([]);
});

test('an archive that turns out to be too large is 413, and nothing is kept of it', async () => {
  const answer = await send(ReadableStream.from(Array.from({ length: 20 }, () => new Uint8Array(10_000))));
  expect([answer.status, await answer.json()]).toMatchObject([
    413,
    {
      error: { message: 'The archive is larger than 100000 bytes.', hint: expect.stringContaining('MAX_IMPORT_BYTES') },
    },
  ]);
  expect(kept()).toEqual([]);
});

test('where an archive cannot be stored the caller hears of that', async () => {
  api.flow.blobs.unavailable = true;
  const answer = await send(new Uint8Array(1024));
  expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: 'dependency_unavailable' } }]);
});

test('an archive of which nothing comes any more is given up, and nothing is kept of it', async () => {
  await api.close();
  api = await started(50);
  const socket = begin();
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 [\s\S]*Nothing came for 50 ms/);
  socket.destroy();
  expect(kept()).toEqual([]);
  expect(lines).toEqual([]);
});

test('an archive whose sender leaves is given up, and nothing is kept of it', async () => {
  const begun = Promise.withResolvers<{ storing: Promise<unknown> }>();
  const { putStream } = api.flow.blobs;
  api.flow.blobs.putStream = (...args) => {
    const storing = putStream(...args);
    begun.resolve({ storing });
    return storing;
  };
  const socket = begin();
  const { storing } = await begun.promise;
  socket.destroy();
  await expect(storing).rejects.toMatchObject({ code: 'cancelled' });
  expect(kept()).toEqual([]);
  expect(lines).toEqual([]);
});
