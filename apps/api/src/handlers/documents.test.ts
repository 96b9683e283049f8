import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { SearchResponse } from '@semantic-memory/shared/contracts/model/search';
import type { ApiDeps } from '../api-deps.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.close());

const json = async (path: string, init?: RequestInit) => (await api.call(path, init)).json();

test('a document shows its text, its chunks and its original', async () => {
  await api.ingested('Tides rise twice a day.', { documentId: 'tides' });
  const text = await api.call('/documents/tides/text');
  expect(text.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
  const whole = await text.text();
  expect(whole).toContain('Tides rise twice a day.');
  const { items } = (await json('/documents/tides/chunks')) as {
    items: { text: string; span: { start: number; end: number } }[];
  };
  expect(items.length).toBeGreaterThan(0);
  for (const chunk of items) expect(whole.slice(chunk.span.start, chunk.span.end)).toBe(chunk.text);
  const content = await api.call('/documents/tides/content?version=1');
  expect(content.headers.get('content-type')).toContain('text/plain');
  expect(await content.text()).toBe('Tides rise twice a day.');
  const head = await api.call('/documents/tides/content', { method: 'HEAD' });
  expect(head.headers.get('content-length')).toBe('23');
  expect((await api.call('/documents/tides/text?version=9')).status).toBe(404);
});

test('the same id again is a new version, and the old one stands until it is ready', async () => {
  await api.ingested('first', { documentId: 'd' });
  await api.post('/ingest', { source: { type: 'text', text: 'second' }, documentId: 'd' });
  expect(await json('/documents/d')).toMatchObject({ version: 1, state: 'active' });
  await api.flow.drain();
  expect(await json('/documents/d')).toMatchObject({ version: 2, state: 'active' });
  expect(await json('/documents/d/versions')).toMatchObject({
    items: [
      { version: 2, active: true },
      { version: 1, active: false },
    ],
  });
});

test('documents are listed newest first, by page, namespace and state', async () => {
  for (const name of ['a', 'b', 'c'])
    await api.ingested(name, { documentId: name, namespace: name === 'b' ? 'n' : 'default' });
  const ids = (list: unknown) => (list as { items: { id: string }[] }).items.map((one) => one.id);
  const first = (await json('/documents?limit=2')) as { nextCursor: string };
  expect(ids(first)).toEqual(['c', 'b']);
  expect(ids(await json(`/documents?limit=2&cursor=${encodeURIComponent(first.nextCursor)}`))).toEqual(['a']);
  expect(ids(await json('/documents?namespace=n'))).toEqual(['b']);
  expect(ids(await json('/documents?state=failed'))).toEqual([]);
});

test('a patch is searchable at once; one that changes nothing is refused', async () => {
  await api.ingested('Tides rise twice a day.', { documentId: 'tides', metadata: { year: 1 } });
  const patched = await api.post('/documents/tides', { title: 'New', metadata: { year: 2 } }, { method: 'PATCH' });
  expect(await patched.json()).toMatchObject({ title: 'New', metadata: { year: 2 } });
  const found = await api.post('/search', { query: 'tides', filter: { year: 2 } });
  expect(((await found.json()) as SearchResponse).hits[0]).toMatchObject({ documentId: 'tides', title: 'New' });
  expect((await api.post('/documents/tides', {}, { method: 'PATCH' })).status).toBe(400);
  expect((await api.post('/documents/none', { title: 'x' }, { method: 'PATCH' })).status).toBe(404);
});

test('a deleted document is gone from every route, with a receipt', async () => {
  const job = await api.ingested('Tides rise twice a day.', { documentId: 'tides' });
  const deleted = await api.call('/documents/tides', { method: 'DELETE' });
  expect(deleted.status).toBe(200);
  expect(await deleted.json()).toMatchObject({ documentId: 'tides', verifiedAbsent: true });
  for (const path of ['', '/text', '/chunks', '/content', '/versions']) {
    expect((await api.call(`/documents/tides${path}`)).status).toBe(404);
  }
  expect((await api.call('/documents/tides', { method: 'DELETE' })).status).toBe(404);
  expect(((await (await api.post('/search', { query: 'tides' })).json()) as SearchResponse).hits).toEqual([]);
  expect((await api.call(`/jobs/${job.id}`)).status).toBe(200);
});

test('stats, queues and reconciliation answer in the public shape', async () => {
  await api.ingested('Tides rise twice a day.', { documentId: 'tides' });
  expect(await json('/stats')).toMatchObject({
    documents: 1,
    consistent: true,
    namespaces: [{ namespace: 'default' }],
  });
  const { queues } = (await json('/admin/queues')) as { queues: { tier: string }[] };
  expect(queues.map((queue) => queue.tier)).toEqual(['fetch', 'parse', 'ocr', 'embed', 'index', 'maintenance']);
  expect(await json('/admin/reconcile', { method: 'POST' })).toMatchObject({ drift: {}, repaired: 0 });
});

test('a download that the caller breaks off closes the original and is no fault of ours', async () => {
  const failures: unknown[] = [];
  const logger: ApiDeps['logger'] = {
    debug: () => {},
    info: () => {},
    warn: (message) => failures.push(message),
    error: (message) => failures.push(message),
    child: () => logger,
  };
  const endless = await startTestApi(() => ({ logger }));
  await endless.ingested('x', { documentId: 'long' });
  const closed = Promise.withResolvers<void>();
  endless.flow.blobs.getStream = async () => ({ stream: piecesUntilClosed(closed.resolve), bytes: 2 ** 40 });
  const leave = new AbortController();
  const answer = await endless.call('/documents/long/content', { signal: leave.signal });
  expect(answer.status).toBe(200);
  leave.abort();
  await closed.promise;
  await endless.close();
  expect(failures).toEqual([]);
});

async function* piecesUntilClosed(onClose: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (;;) yield new Uint8Array(65_536);
  } finally {
    onClose();
  }
}

test('what is no media type is refused in a text, and left out of a file, whose original can be read all the same', async () => {
  for (const mediaType of ['text/html\r\nX-Evil: 1', 'text/\u0100', 'text', 'a/b; c=\u0000']) {
    const answer = await api.post('/ingest', { source: { type: 'text', text: 'x', mediaType } });
    expect([mediaType, answer.status]).toEqual([mediaType, 400]);
  }
  api.flow.faults.parse = new MemoryError('corrupt_document', 'It is broken.');
  const form = new FormData();
  form.append('file', new Blob(['%PDF-'], { type: 'text' }), 'a.pdf');
  form.append('documentId', 'odd');
  expect((await api.call('/ingest', { method: 'POST', body: form })).status).toBe(202);
  await api.flow.drain();
  const content = await api.call('/documents/odd/content');
  expect(content.headers.get('content-type')).toBe('application/octet-stream');
  expect(await content.text()).toBe('%PDF-');
});

test('chunks come by page, each once', async () => {
  await api.ingested('Tides rise twice a day. The moon raises them. '.repeat(200), { documentId: 'tides' });
  interface Page {
    readonly items: { readonly chunkId: string }[];
    readonly nextCursor?: string;
  }
  const whole = (await json('/documents/tides/chunks')) as Page;
  expect(whole.items.length).toBeGreaterThan(2);
  const pages: Page[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; cursor = pages.at(-1)?.nextCursor)
    pages.push(
      (await json(`/documents/tides/chunks?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)) as Page,
    );
  expect(pages.flatMap(({ items }) => items)).toEqual(whole.items);
});

test('a download has the name of its file, whatever characters are in it', async () => {
  const form = new FormData();
  form.append('file', new Blob(['x']), "it's (a) *.txt");
  form.append('documentId', 'odd');
  expect((await api.call('/ingest', { method: 'POST', body: form })).status).toBe(202);
  const disposition = (await api.call('/documents/odd/content')).headers.get('content-disposition') ?? '';
  expect(disposition).toMatch(/^attachment; filename\*=UTF-8''[\w.%!#$&+^`|~-]+$/);
  expect(decodeURIComponent(disposition.split("''")[1] ?? '')).toBe("it's (a) *.txt");
});
