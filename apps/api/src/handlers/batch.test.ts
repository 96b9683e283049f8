import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { BatchAccepted } from '@semantic-memory/shared/contracts/http/ingest';
import type { ApiDeps } from '../api-deps.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.close());

const item = (text: string, more: object = {}) => ({ source: { type: 'text', text }, ...more });
const states = (jobs: readonly { state: string }[]) => jobs.map((job) => job.state);

test('each item stands alone, in the order of the request', async () => {
  const answer = await api.post('/ingest/batch', {
    items: [
      item('one', { documentId: 'one' }),
      item('two', { documentId: 'no good id' }),
      { source: { type: 's3', bucket: 'abc', prefix: 'x' }, documentId: 'three' },
      'not even an object',
      item('five', { documentId: 'five', namespace: 'n' }),
    ],
  });
  expect(answer.status).toBe(202);
  const { batchId, jobs } = BatchAccepted.parse(await answer.json());
  expect(states(jobs)).toEqual(['queued', 'failed', 'failed', 'failed', 'queued']);
  expect(jobs.map((job) => job.error?.code)).toEqual([
    undefined,
    'invalid_request',
    'unprocessable',
    'invalid_request',
    undefined,
  ]);
  expect([jobs[0]?.documentId, jobs[2]?.documentId, jobs[4]?.documentId]).toEqual(['one', 'three', 'five']);
  await api.flow.drain();
  const batch = await api.call(`/ingest/batches/${batchId}`);
  expect(await batch.json()).toMatchObject({
    batchId,
    counts: { queued: 0, running: 0, waiting: 0, succeeded: 2, partial: 0, failed: 3, cancelled: 0 },
    jobs: jobs.map((job) => ({ id: job.id })),
  });
});

test('files of a form are a batch; one that is too large fails alone', async () => {
  const data = new FormData();
  data.append('namespace', 'library');
  data.append('file', new Blob(['first']), 'a.txt');
  data.append('file', new Blob([new Uint8Array(1_200_000)]), 'big.bin');
  data.append('file', new Blob(['third']), 'c.txt');
  data.append('metadata', '{"shelf":3}');
  const answer = await api.call('/ingest/batch', { method: 'POST', body: data });
  expect(answer.status).toBe(202);
  const { jobs } = BatchAccepted.parse(await answer.json());
  expect(states(jobs)).toEqual(['queued', 'failed', 'queued']);
  expect(jobs[1]?.error?.code).toBe('too_large');
  const document = await api.call(`/documents/${jobs[2]?.documentId}`);
  expect(await document.json()).toMatchObject({ title: 'c.txt', namespace: 'library', metadata: { shelf: 3 } });
});

test('over 1,000 items or none is refused as a whole', async () => {
  const many = { items: Array.from({ length: 1001 }, (_, index) => item(`${index}`)) };
  expect((await api.post('/ingest/batch', many)).status).toBe(400);
  expect((await api.post('/ingest/batch', { items: [] })).status).toBe(400);
  const data = new FormData();
  for (let index = 0; index < 1001; index += 1) data.append('file', new Blob(['x']), `${index}.txt`);
  expect((await api.call('/ingest/batch', { method: 'POST', body: data })).status).toBe(400);
  expect((await api.flow.ledger.listJobs('acme', { limit: 1 })).items).toEqual([]);
  expect([...api.flow.blobs.blobs.keys()]).toEqual([]);
});

test('a fault of ours in the middle takes back what was accepted', async () => {
  const { reserveVersion } = api.flow.ledger;
  let calls = 0;
  api.flow.ledger.reserveVersion = async (...args) => {
    calls += 1;
    if (calls === 3) throw new MemoryError('dependency_unavailable', 'The ledger is away.');
    return reserveVersion(...args);
  };
  const answer = await api.post('/ingest/batch', { items: [item('1'), item('2'), item('3'), item('4')] });
  expect(answer.status).toBe(503);
  await nothingIsIngested(api);
});

test('files of a batch that was taken back leave no bytes, however far it had come', async () => {
  api.flow.ledger.reserveVersion = async () => {
    throw new MemoryError('dependency_unavailable', 'The ledger is away.');
  };
  const data = new FormData();
  for (let index = 0; index < 20; index += 1) data.append('file', new Blob(['x']), `${index}.txt`);
  expect((await api.call('/ingest/batch', { method: 'POST', body: data })).status).toBe(503);
  expect([...api.flow.blobs.blobs.keys()].filter((key) => /^uploads\/|\/original$/.test(key))).toEqual([]);
});

test('a batch that cannot be recorded is taken back, however fast its items would be ingested', async () => {
  api.flow.ledger.createBatch = async () => {
    await api.flow.drain();
    throw new MemoryError('dependency_unavailable', 'The ledger is away.');
  };
  expect((await api.post('/ingest/batch', { items: [item('1'), item('2')] })).status).toBe(503);
  await nothingIsIngested(api);
});

/** Nobody was told of the items: they are listed nowhere, and what was handed out of them does nothing. */
async function nothingIsIngested({ flow }: typeof api) {
  await flow.drain();
  expect((await flow.ledger.listJobs('acme', { limit: 10 })).items).toEqual([]);
  expect((await flow.ledger.listDocuments('acme', { limit: 10 })).items).toEqual([]);
  expect(flow.embedded).toEqual([]);
}

test('a form without a file, or with fields that are wrong, is refused as a whole and leaves no bytes', async () => {
  const empty = new FormData();
  empty.append('namespace', 'library');
  const answer = await api.call('/ingest/batch', { method: 'POST', body: empty });
  expect([answer.status, await answer.json()]).toMatchObject([400, { error: { message: 'files.file: is missing' } }]);
  const wrong = new FormData();
  wrong.append('file', new Blob(['first']), 'a.txt');
  wrong.append('priority', 'urgent');
  expect((await api.call('/ingest/batch', { method: 'POST', body: wrong })).status).toBe(400);
  expect([...api.flow.blobs.blobs.keys()]).toEqual([]);
});

test('a file that has no name and is too large fails alone, without a name', async () => {
  const part = '--b\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: application/octet-stream\r\n\r\n';
  const body = `${part}${'x'.repeat(1_000_001)}\r\n${part}small\r\n--b--\r\n`;
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const answer = await api.call('/ingest/batch', { method: 'POST', body, headers });
  expect(answer.status).toBe(202);
  const { jobs } = BatchAccepted.parse(await answer.json());
  expect(jobs.map(({ state, error }) => [state, error?.code])).toEqual([
    ['failed', 'too_large'],
    ['queued', undefined],
  ]);
  const id = jobs[1]?.documentId;
  expect(await (await api.call(`/documents/${id}`)).json()).toMatchObject({ id, title: id });
});

test('an address in a batch that is in conflict fails alone', async () => {
  await api.ingested('one', { documentId: 'one', namespace: 'other' });
  const page = { source: { type: 'url', url: 'https://example.com/' }, documentId: 'one' };
  const answer = await api.post('/ingest/batch', { items: [page, item('two')] });
  const { jobs } = BatchAccepted.parse(await answer.json());
  expect(jobs.map(({ state, error }) => [state, error?.code])).toEqual([
    ['failed', 'conflict'],
    ['queued', undefined],
  ]);
});

test('items that nobody had begun when a batch was given up are nowhere', async () => {
  api.flow.ledger.reserveVersion = async () => {
    throw new MemoryError('dependency_unavailable', 'The ledger is away.');
  };
  const items = Array.from({ length: 20 }, (_, index) => item(`${index}`));
  expect((await api.post('/ingest/batch', { items })).status).toBe(503);
  await nothingIsIngested(api);
  expect([...api.flow.blobs.blobs.keys()].filter((key) => /^uploads\/|\/original$/.test(key))).toEqual([]);
});

test('what cannot be taken back of a batch now is said in the log', async () => {
  const warnings: string[] = [];
  const logger: ApiDeps['logger'] = {
    debug: () => {},
    info: () => {},
    warn: (message) => warnings.push(message),
    error: () => {},
    child: () => logger,
  };
  await api.close();
  api = await startTestApi(() => ({ logger }));
  api.flow.ledger.createBatch = async () => {
    api.flow.blobs.unavailable = true;
    throw new MemoryError('dependency_unavailable', 'The ledger is away.');
  };
  expect((await api.post('/ingest/batch', { items: [item('1'), item('2')] })).status).toBe(503);
  expect(warnings.filter((message) => message === 'could not take back an item of a batch')).toHaveLength(2);
});
