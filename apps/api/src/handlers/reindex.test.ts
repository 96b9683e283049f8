import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Job } from '@semantic-memory/shared/contracts/model/job';
import { createFakeEmbedder } from '@semantic-memory/shared/testing/fake-embedder';
import { startTestApi, type TestApi, tokenFor } from '../testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi(undefined, undefined, { otherModels: [createFakeEmbedder('next-model')] });
});
afterEach(() => api.close());

const reindex = (body: unknown, token?: string) =>
  api.post('/admin/reindex', body, token === undefined ? {} : { token });

test('a re-index is a job that can be followed and ends with the comparison; other tenants see nothing of it', async () => {
  await api.ingested('The harbour is open from dawn to dusk. Ships wait outside.', { documentId: 'notes' });
  const answer = await reindex({
    model: 'next-model',
    judged: [{ query: 'When is the harbour open?', relevant: ['notes'] }],
  });
  expect(answer.status).toBe(202);
  const { id, links } = Job.parse(await answer.json());
  expect(answer.headers.get('location')).toBe(links.self);
  expect(links.document).toBeUndefined();
  await api.flow.drain();
  const job = Job.parse(await (await api.call(`/jobs/${id}`)).json());
  expect(job).toMatchObject({
    ...{ documentId: 'namespace:default', state: 'succeeded' },
    comparison: { model: 'next-model', switched: true, judged: { queries: 1, former: 1, next: 1 } },
  });
  const search = await api.post('/search', { query: 'harbour', mode: 'dense' });
  expect(await search.json()).toMatchObject({ hits: [{ documentId: 'notes' }] });
  expect((await api.call(`/jobs/${id}`, { token: tokenFor('globex') })).status).toBe(404);
  expect((await reindex({ model: 'next-model' }, tokenFor('globex'))).status).toBe(404);
});

test('what cannot be done is said at once', async () => {
  await api.ingested('The harbour is open.', { documentId: 'notes' });
  expect((await reindex({})).status).toBe(400);
  expect((await reindex({ model: 'next-model', namespace: 'nowhere' })).status).toBe(404);
  expect((await reindex({ model: 'unheard-of' })).status).toBe(422);
  expect((await reindex({ model: api.flow.deps.embeddingModel })).status).toBe(409);
  expect((await reindex({ model: 'next-model', judged: [{ query: '', relevant: [] }] })).status).toBe(400);
});
