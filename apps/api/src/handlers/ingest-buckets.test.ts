import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ErrorBody } from '@semantic-memory/shared/contracts/errors';
import { Job } from '@semantic-memory/shared/contracts/model/job';
import { readManifest } from '@semantic-memory/shared/ingest/stored/artifacts';
import { startTestApi, type TestApi, tokenFor } from '../testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi(() => ({
    allowedBuckets: [
      { tenant: 'acme', bucket: 'reports', prefix: '' },
      { tenant: '*', bucket: 'shared', prefix: 'public/' },
    ],
  }));
});
afterEach(() => api.close());

const ingest = (place: object, more: object = {}, token = tokenFor('acme')) =>
  api.post('/ingest', { source: { type: 's3', ...place }, ...more }, { token });

test('an object that the tenant may have read is queued for fetch, and a prefix is many documents', async () => {
  const one = await ingest({ bucket: 'reports', key: '2026/may.pdf' }, { documentId: 'may' });
  expect(one.status).toBe(202);
  expect(Job.parse(await one.json())).toMatchObject({ stage: 'fetch', links: { document: expect.any(String) } });
  expect(await (await api.call('/documents/may')).json()).toMatchObject({ title: 'may.pdf' });
  const many = await ingest({ bucket: 'shared', prefix: 'public/2026' }, { documentId: 'library' });
  expect(many.status).toBe(202);
  expect(Job.parse(await many.json()).links).not.toHaveProperty('document');
  expect((await api.call('/documents/library')).status).toBe(404);
  expect(api.flow.queue.waiting.map(({ name }) => name)).toEqual(['fetch', 'fetch']);
  const manifest = await readManifest(api.flow.blobs, { tenant: 'acme', documentId: 'library', version: 1 });
  expect(manifest.source).toEqual({ type: 's3', bucket: 'shared', prefix: 'public/2026' });
});

test.each([
  ['a bucket of another tenant', { bucket: 'reports', key: 'a' }, 'other'],
  ['a part of a bucket that is not allowed', { bucket: 'shared', key: 'private/a' }, 'acme'],
  ['all of a bucket of which a part is allowed', { bucket: 'shared', prefix: '' }, 'acme'],
])('%s is answered as one that is not there, and nothing is asked or kept', async (_name, place, tenant) => {
  const answers = await Promise.all(
    [place, { bucket: 'nowhere', key: 'a' }].map((where) => ingest(where, {}, tokenFor(tenant))),
  );
  const told = await Promise.all(
    answers.map(async (answer) => {
      const { requestId: _id, ...error } = ErrorBody.parse(await answer.json()).error;
      return { status: answer.status, error };
    }),
  );
  expect(told[0]).toMatchObject({ status: 422, error: { code: 'fetch_forbidden' } });
  expect(told[0]).toEqual(told[1]);
  expect([...api.flow.blobs.blobs.keys()]).toEqual([]);
  expect(api.flow.queue.waiting).toEqual([]);
});

test.each([
  [{ bucket: 'reports' }, 'needs either key or prefix'],
  [{ bucket: 'reports', key: 'a', prefix: 'b' }, 'needs either key or prefix'],
  [{ bucket: 'reports', key: '' }, 'Too small'],
  [{ bucket: 'reports', key: '../memory/tenants/x' }, 'has a part "." or ".."'],
  [{ bucket: 'reports', prefix: 'a/./' }, 'has a part "." or ".."'],
  [{ bucket: 'reports', key: 'ä'.repeat(513) }, 'more than 1,024 bytes'],
  [{ bucket: 'reports', key: '\ud800' }, 'not Unicode'],
  [{ bucket: 'reports/x', key: 'a' }, 'is not the name of a bucket'],
  [{ bucket: 'arn:aws:s3:::reports', key: 'a' }, 'is not the name of a bucket'],
  [{ bucket: '..', key: 'a' }, 'is not the name of a bucket'],
  [{ bucket: 'reports', key: 'a', endpoint: 'http://169.254.169.254' }, 'endpoint'],
])('%j is no source', async (place, words) => {
  const answer = await ingest(place);
  expect(answer.status).toBe(400);
  expect(JSON.stringify(await answer.json())).toContain(JSON.stringify(words).slice(1, -1));
});

test('in a batch a bucket that is not allowed is a failed job, and the others go on', async () => {
  const items = ['reports', 'other'].map((bucket) => ({ source: { type: 's3', bucket, key: 'a' } }));
  const answer = await api.post('/ingest/batch', { items });
  expect(await answer.json()).toMatchObject({
    jobs: [{ state: 'queued' }, { state: 'failed', error: { code: 'fetch_forbidden' } }],
  });
});

test('a dry run is of one object, and of none that is not allowed', async () => {
  for (const [place, code] of [
    [{ bucket: 'reports', prefix: 'a' }, 'unprocessable'],
    [{ bucket: 'other', key: 'a' }, 'fetch_forbidden'],
  ] as const) {
    const answer = await api.post('/ingest?dryRun=true', { source: { type: 's3', ...place } });
    expect([answer.status, await answer.json()]).toMatchObject([422, { error: { code } }]);
  }
});
