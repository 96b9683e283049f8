import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWrittenHostCheck, parseFetchUrl } from '@semantic-memory/adapters/web/checked-host';
import { ErrorBody } from '@semantic-memory/shared/contracts/errors';
import { BatchAccepted } from '@semantic-memory/shared/contracts/http/ingest';
import { Job } from '@semantic-memory/shared/contracts/model/job';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const callbackUrl = 'https://example.org/hook';
let api: TestApi;
beforeEach(async () => {
  const checkHost = createWrittenHostCheck(['127.0.0.1:9999']);
  api = await startTestApi(() => ({ checkCallbackUrl: (url) => void checkHost(parseFetchUrl(url)) }));
});
afterEach(() => api.close());

const upload = (fields: Record<string, string>, path = '/ingest', files = 1) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (let file = 0; file < files; file += 1) form.append('file', new Blob([`Text ${file}.`]), `${file}.txt`);
  return api.call(path, { method: 'POST', body: form });
};
const called = async () => {
  await api.flow.drain();
  return api.flow.calls.map(({ url, body }) => ({ url, job: Job.parse(JSON.parse(body)) }));
};
const errorOf = async (answer: Response) => ErrorBody.parse(await answer.json()).error;
const noteBy = (documentId: string, url: string) => ({
  source: { type: 'text', text: 'x' },
  documentId,
  callbackUrl: url,
});

test('JSON, a form and the items of a batch are called back, each with what GET /jobs/{id} says', async () => {
  expect((await api.post('/ingest', noteBy('json', callbackUrl))).status).toBe(202);
  expect((await upload({ documentId: 'form', callbackUrl })).status).toBe(202);
  const items = [noteBy('item', `${callbackUrl}/1`), { source: { type: 'text', text: 'x' } }];
  expect((await api.post('/ingest/batch', { items })).status).toBe(202);
  expect((await upload({ callbackUrl: `${callbackUrl}/2` }, '/ingest/batch', 2)).status).toBe(202);
  const calls = await called();
  const urls = calls.map(({ url }) => url).toSorted();
  expect(urls).toEqual([callbackUrl, callbackUrl, `${callbackUrl}/1`, `${callbackUrl}/2`, `${callbackUrl}/2`]);
  for (const { job } of calls) expect(await (await api.call(`/jobs/${job.id}`)).json()).toEqual(job);
});

test.each([
  'http://127.0.0.1/',
  'http://127.1:8080/hook',
  'http://169.254.169.254/latest/meta-data/',
  'http://[::1]/',
  'http://2130706433/',
  'http://localhost:6379/',
  'https://user:secret@example.org/',
])('a callbackUrl that can be seen to lead where it must not is refused: %s', async (url) => {
  const answer = await api.post('/ingest', noteBy('a', url));
  expect(answer.status).toBe(422);
  expect(await errorOf(answer)).toMatchObject({
    code: 'unprocessable',
    hint: expect.stringContaining('FETCH_ALLOW_HOSTS'),
  });
  expect((await upload({ callbackUrl: url })).status).toBe(422);
  expect((await upload({ callbackUrl: url }, '/ingest/batch', 2)).status).toBe(422);
  for await (const key of api.flow.blobs.list('tenants/')) throw new Error(`${key} was left`);
});

test('an address that is no http address is malformed; an excepted host is let through', async () => {
  expect((await api.post('/ingest', noteBy('a', 'ftp://example.org/'))).status).toBe(400);
  expect((await api.post('/ingest', noteBy('a', 'nowhere'))).status).toBe(400);
  expect((await api.post('/ingest', noteBy('a', 'http://127.0.0.1:9999/hook'))).status).toBe(202);
});

test('a bad item of a batch fails alone, and is told of where its callbackUrl may be called', async () => {
  const items = [
    noteBy('private', 'http://10.0.0.1/'),
    { ...noteBy('misspelt', callbackUrl), colour: 'red' },
    noteBy('good', callbackUrl),
  ];
  const { jobs } = BatchAccepted.parse(await (await api.post('/ingest/batch', { items })).json());
  expect(jobs.map((job) => job.state)).toEqual(['failed', 'failed', 'queued']);
  expect(jobs[0]?.error?.message).toContain('callbackUrl');
  const ends = (await called()).map(({ job }) => [job.documentId, job.state]);
  expect(ends.toSorted()).toEqual([
    ['good', 'succeeded'],
    ['misspelt', 'failed'],
  ]);
});

test('the same Idempotency-Key with another callbackUrl is another request; repeated, it is one call', async () => {
  const headers = { 'idempotency-key': 'k' };
  const first = Job.parse(await (await api.post('/ingest', noteBy('a', callbackUrl), { headers })).json());
  const again = Job.parse(await (await api.post('/ingest', noteBy('a', callbackUrl), { headers })).json());
  expect(again.id).toBe(first.id);
  expect((await api.post('/ingest', noteBy('a', `${callbackUrl}/2`), { headers })).status).toBe(422);
  expect(await called()).toHaveLength(1);
});

test('where calls cannot be signed a callbackUrl is refused', async () => {
  await api.close();
  api = await startTestApi(() => ({ checkCallbackUrl: undefined }));
  const answer = await api.post('/ingest', noteBy('a', callbackUrl));
  expect(answer.status).toBe(422);
  expect((await errorOf(answer)).hint).toContain('WEBHOOK_SECRET');
});

test('a fault of ours in looking at a callbackUrl is not put on the caller', async () => {
  await api.close();
  const checkCallbackUrl = () => {
    throw new TypeError('a fault of ours');
  };
  api = await startTestApi(() => ({ checkCallbackUrl }));
  expect((await api.post('/ingest', noteBy('a', callbackUrl))).status).toBe(500);
  const items = [{ ...noteBy('misspelt', callbackUrl), colour: 'red' }];
  expect((await api.post('/ingest/batch', { items })).status).toBe(500);
  expect(await (await api.call('/jobs')).json()).toEqual({ items: [] });
});
