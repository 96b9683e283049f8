import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Client, createClient } from './client.ts';
import { sendJson } from './testing/fake-routes.ts';
import { type FakeService, startFakeService } from './testing/fake-service.ts';

let service: FakeService;
let client: Client;
/** Answers the next request with it. */
const answerWith = (body: unknown) =>
  service.intercept((_, response) => {
    sendJson(response, 200, body);
    return true;
  });

beforeEach(async () => {
  service = await startFakeService();
  client = createClient({ baseUrl: service.url, token: 'token' });
});
afterEach(() => service.close());

test('every call goes to its own path, with ids that cannot leave it, and gives what is answered', async () => {
  const { admin } = client;
  const id = 'a/b';
  const calls: [call: string, answer: () => Promise<unknown>][] = [
    ['GET /jobs/a%2Fb', () => client.job(id)],
    ['GET /jobs', () => client.jobs()],
    ['POST /jobs/a%2Fb/cancel', () => client.cancel(id)],
    ['POST /jobs/a%2Fb/retry', () => client.retry(id)],
    ['GET /ingest/batches/a%2Fb', () => client.batch(id)],
    ['GET /documents', () => client.documents()],
    ['GET /documents/a%2Fb', () => client.document(id)],
    ['GET /documents/a%2Fb/chunks', () => client.chunks(id)],
    ['GET /documents/a%2Fb/versions', () => client.versions(id)],
    ['PATCH /documents/a%2Fb', () => client.patch(id, { title: 'Otter' })],
    ['DELETE /documents/a%2Fb', () => client.delete(id)],
    ['POST /search', () => client.search({ query: 'otter' })],
    ['POST /search/batch', () => client.searchBatch([{ query: 'otter' }])],
    ['POST /rag', () => client.rag({ question: 'Where?' })],
    ['GET /stats', () => client.stats()],
    ['POST /ingest', () => client.ingest({ type: 'text', text: 'Otter.' })],
    ['POST /ingest', () => client.ingestText('# Otter', { mediaType: 'text/markdown' })],
    ['POST /ingest', () => client.ingestText('Otter.')],
    ['GET /admin/queues', () => admin.queues()],
    ['GET /admin/dead-letters', () => admin.deadLetters()],
    ['POST /admin/dead-letters/a%2Fb/retry', () => admin.retryDeadLetter(id)],
    ['POST /admin/reconcile', () => admin.reconcile()],
    ['POST /admin/reindex', () => admin.reindex({ model: 'another' })],
    ['POST /admin/import', () => admin.import({ blob: new Blob(['tar']), filename: 'a.tar' })],
  ];
  for (const [at, [path, call]] of calls.entries()) {
    answerWith({ answer: at });
    expect(await call()).toEqual({ answer: at });
    const { method, path: asked, query } = service.requests.at(-1) as FakeService['requests'][number];
    expect(`${method} ${asked.replace('/api/v1/memory', '')}`).toBe(path);
    expect([...query]).toEqual([]);
  }
  const bodies = service.requests.filter(({ path }) => path.endsWith('/ingest')).map(({ body }) => String(body));
  expect(bodies.slice(1).map((body) => JSON.parse(body).source)).toEqual([
    { type: 'text', text: '# Otter', mediaType: 'text/markdown' },
    { type: 'text', text: 'Otter.' },
  ]);
});

test('the original bytes and the text of a version come with that version in the address', async () => {
  service.intercept((_, response) => {
    response.writeHead(200, { 'content-type': 'application/pdf' }).end('%PDF');
    return true;
  });
  const content = await client.content('otter', { version: 2 });
  expect([content.type, await content.text()]).toEqual(['application/pdf', '%PDF']);
  service.intercept((_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('current');
    return true;
  });
  expect(await (await client.content('otter')).text()).toBe('current');
  const asked = service.requests.map(({ path, query }) => `${path}?${query}`);
  expect(asked).toEqual([
    '/api/v1/memory/documents/otter/content?version=2',
    '/api/v1/memory/documents/otter/content?',
  ]);
});

test('without options all documents are listed and the default namespace is exported', async () => {
  await client.ingestText('Otter.', { documentId: 'otter' });
  const ids = [];
  for await (const { id } of client.allDocuments()) ids.push(id);
  expect(ids).toEqual(['otter']);
  const pieces = [];
  for await (const piece of await client.admin.export()) pieces.push(piece);
  expect(String(Buffer.concat(pieces))).toBe('the archive of default');
});

test('whether the service is ready is an answer also where it is not, and needs no token', async () => {
  const anonymous = createClient({ baseUrl: service.url });
  expect(await anonymous.health()).toMatchObject({ ready: true });
  service.intercept((_, response) => {
    sendJson(response, 503, { state: 'not_ready', dependencies: {} });
    return true;
  });
  expect(await anonymous.health()).toMatchObject({ ready: false, body: { state: 'not_ready' } });
  expect(service.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
});

test('a field that is not given is not in the form', async () => {
  const file = { blob: new Blob(['one']), filename: 'one.txt' };
  await client.ingestFile(file, { title: undefined, namespace: 'rivers' });
  const body = String(service.requests[0]?.body);
  expect(body).toContain('name="namespace"');
  expect(body).not.toContain('name="title"');
});

test('files go in one request without any field', async () => {
  const { jobs } = await client.ingestFiles([{ blob: new Blob(['one']), filename: 'one.txt' }]);
  expect(jobs).toHaveLength(1);
});
