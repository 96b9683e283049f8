import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createFilesystemBlobStore } from '@semantic-memory/adapters/filesystem/blob-store';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import { Job } from '@semantic-memory/shared/contracts/model/job';
import type { ApiDeps } from '../api-deps.ts';
import { startTestApi, type TestApi, tokenFor } from '../testing/test-api.ts';

let api: TestApi;
const outcomes: string[] = [];
beforeEach(async () => {
  outcomes.length = 0;
  api = await startTestApi((deps) => ({
    metrics: { ...deps.metrics, ingestRequest: (outcome) => void outcomes.push(outcome) },
  }));
});
afterEach(() => api.close());

function form(
  parts: Record<string, string | { bytes: string | Uint8Array<ArrayBuffer>; name: string; type?: string }>,
): FormData {
  const data = new FormData();
  for (const [name, part] of Object.entries(parts)) {
    if (typeof part === 'string') data.append(name, part);
    else data.append(name, new Blob([part.bytes], part.type ? { type: part.type } : {}), part.name);
  }
  return data;
}

const upload = (body: FormData, init: RequestInit = {}) => api.call('/ingest', { method: 'POST', body, ...init });
const text = { bytes: 'The moon raises two tides a day.', name: 'tides.txt', type: 'text/plain' };
/** Blobs of originals: what an upload that failed must not leave. */
const originals = () => [...api.flow.blobs.blobs.keys()].filter((key) => /^uploads\/|\/original$/.test(key));
const jobs = async () => (await api.flow.ledger.listJobs('acme', { limit: 100 })).items;

test('a text is taken in, 202 with its job and where it is, and found as a document in the end', async () => {
  const answer = await api.post('/ingest', {
    source: { type: 'text', text: 'Tides rise twice a day.', mediaType: 'text/markdown' },
    documentId: 'tides',
    title: 'Tides',
    metadata: { year: 2026 },
  });
  expect(answer.status).toBe(202);
  const job = Job.parse(await answer.json());
  expect(job).toMatchObject({ documentId: 'tides', version: 1, namespace: 'default', state: 'queued' });
  expect(answer.headers.get('location')).toBe(`${apiPrefix}/jobs/${job.id}`);
  expect(job).not.toHaveProperty('tenant');
  await api.flow.drain();
  expect(await (await fetchLink(job.links.self)).json()).toMatchObject({ state: 'succeeded', progress: 1 });
  expect(await (await fetchLink(job.links.document)).json()).toMatchObject({
    id: 'tides',
    title: 'Tides',
    state: 'active',
    metadata: { year: 2026 },
    bytes: 23,
  });
  expect(outcomes).toEqual(['accepted']);
});

const fetchLink = (link = '') => fetch(api.origin + link, { headers: { authorization: `Bearer ${tokenFor('acme')}` } });

test('a file is stored as it came, with fields before and after it', async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const file = { bytes, name: 'random.bin', type: 'application/octet-stream' };
  const answer = await upload(
    form({
      documentId: 'random',
      metadata: '{"tags":["a","b"]}',
      file,
      priority: 'high',
      options: '{"ocr":false}',
      title: 'Random',
    }),
  );
  expect(answer.status).toBe(202);
  const stored = await api.call('/documents/random');
  expect(await stored.json()).toMatchObject({
    title: 'Random',
    metadata: { tags: ['a', 'b'] },
    bytes: 60_000,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    state: 'pending',
  });
  const content = await api.call('/documents/random/content');
  expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true);
  expect(api.flow.queue.waiting[0]?.priority).toBe('high');
});

test('a file name is only a label: without folders, in UTF-8, and never a header or a path of ours', async () => {
  for (const [name, label] of [
    ['../../etc/passwd', 'passwd'],
    ['C:\\temp\\Überblick 潮汐.txt', 'Überblick 潮汐.txt'],
    ['a"b\r\nX-Evil: 1.txt', undefined],
  ] as const) {
    const answer = await upload(form({ file: { ...text, name } }));
    const { documentId } = Job.parse(await answer.json());
    const document = (await (await api.call(`/documents/${documentId}`)).json()) as { title: string };
    if (label) expect(document.title).toBe(label);
    expect(document.title).not.toMatch(/[/\\\r\n]/);
    const content = await api.call(`/documents/${documentId}/content`);
    expect(content.headers.get('x-evil')).toBeNull();
    expect(content.headers.get('content-disposition')).toMatch(/^attachment; filename\*=UTF-8''[\w.%!#$&+^`|~-]+$/);
  }
  expect(originals().every((key) => /^tenants\/\w{32}\/documents\/\w\w\/\w{32}\/v1\/original$/.test(key))).toBe(true);
});

test('a download cannot run as a page of this origin', async () => {
  const answer = await upload(
    form({ documentId: 'page', file: { bytes: '<script>1</script>', name: 'x.html', type: 'text/html' } }),
  );
  expect(answer.status).toBe(202);
  const content = await api.call('/documents/page/content');
  expect(content.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
  expect(content.headers.get('x-content-type-options')).toBe('nosniff');
  expect(content.headers.get('content-disposition')).toMatch(/^attachment/);
});

test('an upload with faults is refused with all of them, and leaves nothing', async () => {
  const answer = await upload(
    form({ file: text, documentId: 'a b', metadata: '{', colour: 'red', priority: 'urgent', callbackUrl: 'ftp://x' }),
  );
  expect(answer.status).toBe(400);
  const { error } = (await answer.json()) as { error: { details: { faults: { path: string }[] } } };
  expect(error.details.faults.map((fault) => fault.path).sort()).toEqual([
    'fields.callbackUrl',
    'fields.colour',
    'fields.documentId',
    'fields.metadata',
    'fields.priority',
  ]);
  expect(originals()).toEqual([]);
  expect(await jobs()).toEqual([]);
  expect(outcomes).toEqual(['rejected']);
});

test('a form needs one file, called file', async () => {
  const two = form({ file: text });
  two.append('file', new Blob(['again']), 'b.txt');
  for (const body of [form({ documentId: 'x' }), form({ document: text }), two]) {
    const answer = await upload(body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 'invalid_request' } });
  }
  const noBoundary = await api.call('/ingest', {
    method: 'POST',
    body: 'x',
    headers: { 'content-type': 'multipart/form-data' },
  });
  expect(noBoundary.status).toBe(400);
  const cut = await api.call('/ingest', {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of it',
  });
  expect(cut.status).toBe(400);
  expect(originals()).toEqual([]);
  expect(await jobs()).toEqual([]);
});

test('a file or a text beyond the limit is 413, is answered at once, and leaves nothing', async () => {
  const file = await upload(form({ file: { bytes: new Uint8Array(1_000_001), name: 'big.bin' } }));
  expect(file.status).toBe(413);
  expect(await file.json()).toMatchObject({ error: { code: 'request_too_large', requestId: expect.any(String) } });
  expect((await upload(form({ file: { bytes: new Uint8Array(1_000_000), name: 'fits.bin' } }))).status).toBe(202);
  const json = await api.post('/ingest', { source: { type: 'text', text: 'x'.repeat(100_001) } });
  expect(json.status).toBe(413);
  expect(originals()).toHaveLength(1);
});

test('an upload without a token hears so, though it is still sending', async () => {
  const body = form({ file: { bytes: new Uint8Array(20_000_000), name: 'big.bin' } });
  const answer = await api.call('/ingest', { method: 'POST', body, token: '' });
  expect(answer.status).toBe(401);
  expect(await answer.json()).toMatchObject({ error: { code: 'unauthenticated' } });
  expect(api.flow.blobs.blobs.size).toBe(0);
});

test('an upload that breaks off in the middle leaves no blob and no job, and the next one works', async () => {
  const socket = connect(api.server.port, '127.0.0.1');
  await once(socket, 'connect');
  const begun = blobCalls(api.deps);
  socket.write(
    `POST ${apiPrefix}/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenFor('acme')}\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 500000\r\n\r\n' +
      `--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${'x'.repeat(100_000)}`,
  );
  await begun.started;
  socket.destroy();
  expect(await begun.ended).toBe('failed');
  expect((await upload(form({ file: text }))).status).toBe(202);
  expect(originals()).toHaveLength(1);
  expect(await jobs()).toHaveLength(1);
  expect(outcomes).toEqual(['rejected', 'accepted']);
});

test('on a disk too, an upload that breaks off or is refused leaves no file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'semantic-memory-uploads-'));
  const onDisk = await startTestApi(() => ({ blobs: createFilesystemBlobStore(directory) }));
  const files = async () => {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  };
  const begun = blobCalls(onDisk.deps);
  const socket = connect(onDisk.server.port, '127.0.0.1');
  socket.write(
    `POST ${apiPrefix}/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenFor('acme')}\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n' +
      `--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${'x'.repeat(300_000)}`,
  );
  await begun.started;
  socket.destroy();
  expect(await begun.ended).toBe('failed');
  const body = form({ file: { bytes: new Uint8Array(1_000_001), name: 'big.bin' } });
  expect((await onDisk.call('/ingest', { method: 'POST', body })).status).toBe(413);
  expect(await files()).toEqual([]);
  await onDisk.close();
  await rm(directory, { recursive: true });
});

/** When the blob store begins to take a stream, and how that ends. */
function blobCalls(deps: ApiDeps) {
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<'stored' | 'failed'>();
  const { putStream } = deps.blobs;
  deps.blobs.putStream = (...args) => {
    started.resolve();
    deps.blobs.putStream = putStream;
    const storing = putStream.apply(deps.blobs, args);
    storing.then(
      () => ended.resolve('stored'),
      () => ended.resolve('failed'),
    );
    return storing;
  };
  return { started: started.promise, ended: ended.promise };
}

test('an upload of which nothing comes any more is given up', async () => {
  const slow = await startTestApi((deps) => ({ limits: { ...deps.limits, uploadIdleMs: 50 } }));
  const socket = connect(slow.server.port, '127.0.0.1');
  socket.write(
    `POST ${apiPrefix}/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenFor('acme')}\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 500000\r\n\r\n' +
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf',
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString()).toMatch(/^HTTP\/1.1 400 [\s\S]*Nothing came for 50 ms/);
  socket.destroy();
  expect(slow.flow.blobs.blobs.size).toBe(0);
  await slow.close();
});

test('the same Idempotency-Key and request give the first answer, another request 422', async () => {
  const send = (bytes: string, fields: Record<string, string> = {}) =>
    upload(form({ ...fields, file: { ...text, bytes } }), { headers: { 'idempotency-key': 'k1' } });
  const first = Job.parse(await (await send('one', { title: 'A', namespace: 'n' })).json());
  const again = await send('one', { namespace: 'n', title: 'A' });
  expect(again.status).toBe(202);
  expect(Job.parse(await again.json()).id).toBe(first.id);
  for (const other of [
    await send('two', { title: 'A', namespace: 'n' }),
    await send('one', { title: 'B', namespace: 'n' }),
  ]) {
    expect(other.status).toBe(422);
  }
  const ofOther = await api.call('/ingest', {
    method: 'POST',
    body: form({ file: text }),
    headers: { 'idempotency-key': 'k1' },
    token: tokenFor('umbrella'),
  });
  expect(ofOther.status).toBe(202);
  expect(await jobs()).toHaveLength(1);
  // The first one's, and the other tenant's.
  expect(originals()).toHaveLength(2);
});

test('a document in another namespace is a conflict, and its bytes go again', async () => {
  await upload(form({ file: text, documentId: 'tides' }));
  const answer = await upload(form({ file: text, documentId: 'tides', namespace: 'other' }));
  expect(answer.status).toBe(409);
  expect(originals()).toHaveLength(1);
});

test('a blob store that is away is 503 with Retry-After, and nothing was accepted', async () => {
  api.flow.blobs.unavailable = true;
  const answer = await upload(form({ file: text }));
  api.flow.blobs.unavailable = false;
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await jobs()).toEqual([]);
  expect(outcomes).toEqual(['failed']);
});

test('sources that are fetched are queued for fetch; s3 says that an operator has to allow it', async () => {
  const web = await api.post('/ingest', { source: { type: 'url', url: 'https://example.com/a' } });
  expect(Job.parse(await web.json())).toMatchObject({ stage: 'fetch' });
  const git = Job.parse(
    await (await api.post('/ingest', { source: { type: 'git', url: 'https://example.com/r.git' } })).json(),
  );
  expect(git.links).not.toHaveProperty('document');
  expect(api.flow.queue.waiting.map((job) => job.name)).toEqual(['fetch', 'fetch']);
  const s3 = await api.post('/ingest', { source: { type: 's3', bucket: 'bucket', key: 'a' } });
  expect([s3.status, await s3.json()]).toMatchObject([
    422,
    { error: { code: 'unprocessable', hint: expect.stringContaining('SOURCE_S3_BUCKETS') } },
  ]);
  const misspelt = await api.post('/ingest', { source: { type: 'url', url: 'file:///etc/passwd', mediatype: 'x' } });
  expect(misspelt.status).toBe(400);
});
