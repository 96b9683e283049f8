import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ApiError } from './api-error.ts';
import { createClient } from './client.ts';
import { openFile } from './file-source.ts';
import { sendError } from './testing/fake-routes.ts';
import { deserted, type FakeService, startFakeService } from './testing/fake-service.ts';
import type { TransportOptions } from './transport.ts';

let service: FakeService;
const clientOf = (options: Partial<TransportOptions> = {}) =>
  createClient({ baseUrl: `${service.url}/`, token: 'token', retryDelayMs: 1, ...options });

beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

test('a file goes from disk as multipart, fields before the file, and its job is followed to the end', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'client-'));
  try {
    await writeFile(join(folder, 'otter.txt'), 'The otter lives at the river Glan.');
    const client = clientOf();
    const file = await openFile(join(folder, 'otter.txt'));
    const job = await client.ingestFile(file, { documentId: 'otter', title: 'Otter', metadata: { year: 2026 } });
    expect((await client.waitForJob(job.id)).state).toBe('succeeded');
    expect(await client.text('otter')).toBe('The otter lives at the river Glan.');
    const body = String(service.requests[0]?.body);
    expect(body.indexOf('name="metadata"\r\n\r\n{"year":2026}')).toBeGreaterThan(0);
    expect(body.indexOf('name="file"; filename="otter.txt"')).toBeGreaterThan(body.indexOf('name="metadata"'));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a dry run of a source or a file stores nothing', async () => {
  const client = clientOf();
  const source = { type: 'text', text: 'The otter lives at the river Glan.' } as const;
  expect(await client.dryRun(source)).toMatchObject({ mediaType: 'text/plain', tokens: 10 });
  const file = { blob: new Blob(['x']), filename: 'noise.bin' };
  await expect(client.dryRun(file, { title: 'Noise' })).rejects.toMatchObject({
    status: 415,
    code: 'unsupported_type',
  });
  expect(service.documents.size).toBe(0);
  expect(service.requests.map(({ query }) => query.get('dryRun'))).toEqual(['true', 'true']);
});

test('an error of the service arrives with its code, hint and request id', async () => {
  const failure = await clientOf()
    .document('nobody')
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({ status: 404, code: 'not_found', hint: 'A hint.', requestId: 'req_fake' });
});

test('an ingest that is refused for now is repeated under the same idempotency key and stored once', async () => {
  service.intercept((_, response) => {
    sendError(response, 503, 'dependency_unavailable', { 'retry-after': '0' });
    return true;
  });
  const client = clientOf();
  await client.ingestText('Once only.', { documentId: 'once' });
  const keys = service.requests.map((request) => request.headers['idempotency-key']);
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
  await client.ingestText('Twice.');
  expect(service.requests[2]?.headers['idempotency-key']).not.toBe(keys[0]);
});

test('an ingest whose connection is lost is repeated, also while the first try still holds the key', async () => {
  service.intercept((_, response) => {
    response.destroy();
    return true;
  });
  for (let held = 0; held < 3; held += 1) {
    service.intercept((_, response) => {
      sendError(response, 409, 'conflict', { 'retry-after': '0' });
      return true;
    });
  }
  const job = await clientOf({ maxRetries: 1 }).ingestText('Lost and found.');
  expect(job.state).toBe('queued');
  expect(service.requests).toHaveLength(5);
});

test('another conflict after a lost connection, and a key that stays held, end the call', async () => {
  service.intercept((_, response) => {
    response.destroy();
    return true;
  });
  service.intercept((_, response) => {
    sendError(response, 409, 'conflict');
    return true;
  });
  await expect(clientOf().ingestText('In another namespace.')).rejects.toMatchObject({ status: 409 });
  expect(service.requests).toHaveLength(2);
  let now = 0;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
  const fetch = async () => {
    now += 40_000;
    if (now === 40_000) throw new TypeError('fetch failed');
    const error = { code: 'conflict', message: 'Still under way.' };
    return Response.json({ error }, { status: 409, headers: { 'retry-after': '0' } });
  };
  await expect(clientOf({ fetch }).ingestText('Held for ever.')).rejects.toMatchObject({ status: 409 });
  clock.mockRestore();
  expect(now).toBe(120_000);
});

test('what changes something without a key is never repeated', async () => {
  service.intercept((_, response) => {
    sendError(response, 503, 'dependency_unavailable', { 'retry-after': '0' });
    return true;
  });
  await expect(clientOf().delete('otter')).rejects.toMatchObject({ status: 503 });
  expect(service.requests).toHaveLength(1);
});

test('a server that is not there is named, after the repetitions that a read allows', async () => {
  const baseUrl = await deserted();
  const client = clientOf({ baseUrl, maxRetries: 2 });
  await expect(client.stats()).rejects.toMatchObject({
    status: 0,
    code: 'unreachable',
    message: `No connection to ${baseUrl}: ECONNREFUSED.`,
  });
});

test('a server that stays silent is given up after the time limit', async () => {
  service.intercept(() => true);
  await expect(clientOf({ timeoutMs: 30, maxRetries: 0 }).stats()).rejects.toMatchObject({ code: 'timed_out' });
});

test('an abort ends the call with the reason of the caller', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  service.intercept(() => {
    controller.abort(reason);
    return true;
  });
  await expect(clientOf().stats({ signal: controller.signal })).rejects.toBe(reason);
});

test('an answer that is not of this service is named so', async () => {
  service.intercept((_, response) => {
    response.writeHead(404).end('<h1>nginx</h1>');
    return true;
  });
  await expect(clientOf().stats()).rejects.toMatchObject({ status: 404, code: 'invalid_answer' });
});

test('documents are listed page by page', async () => {
  const client = clientOf();
  for (const number of [1, 2, 3, 4, 5]) await client.ingestText(`Number ${number}`, { documentId: `n${number}` });
  const ids = [];
  for await (const document of client.allDocuments({ limit: 2 })) ids.push(document.id);
  expect(ids).toEqual(['n5', 'n4', 'n3', 'n2', 'n1']);
});

test('a token function is asked before every request', async () => {
  let calls = 0;
  const client = clientOf({ token: () => `token-${++calls}` });
  await client.stats();
  await client.stats();
  expect(service.requests.map((request) => request.headers.authorization)).toEqual([
    'Bearer token-1',
    'Bearer token-2',
  ]);
});

test('each item of a batch is a job of its own', async () => {
  const client = clientOf();
  const batch = await client.ingestBatch([
    { source: { type: 'text', text: 'Good.' }, documentId: 'good' },
    { source: { type: 'text', text: '' }, documentId: 'empty' },
  ]);
  const ends = await Promise.all(batch.jobs.map((job) => client.waitForJob(job.id)));
  expect(ends.map((job) => job.error?.code)).toEqual([undefined, 'empty_document']);
  const files = await client.ingestFiles([
    { blob: new Blob(['one']), filename: 'one.txt' },
    { blob: new Blob(['two']), filename: 'two.txt' },
  ]);
  expect(files.jobs).toHaveLength(2);
});

test('a server that asks for a long wait is left to the caller', async () => {
  service.intercept((_, response) => {
    sendError(response, 429, 'rate_limited', { 'retry-after': '3600' });
    return true;
  });
  await expect(clientOf().stats()).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 3_600_000 });
  expect(service.requests).toHaveLength(1);
});

test('a large file has the time that a slow line needs', async () => {
  service.intercept((_, response) => {
    setTimeout(() => sendError(response, 413, 'request_too_large'), 60);
    return true;
  });
  const file = { blob: new Blob([new Uint8Array(250_000)]), filename: 'large.bin' };
  await expect(clientOf({ timeoutMs: 20 }).ingestFile(file)).rejects.toMatchObject({ code: 'request_too_large' });
});
