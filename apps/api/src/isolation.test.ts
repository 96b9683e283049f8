import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Endpoint } from '@semantic-memory/shared/contracts/http/endpoint';
import { endpoints } from '@semantic-memory/shared/contracts/http/endpoints';
import { BatchAccepted } from '@semantic-memory/shared/contracts/http/ingest';
import { readEvents, startTestApi, type TestApi, tokenFor } from './testing/test-api.ts';

const other = { token: tokenFor('umbrella') };
const canary = 'canary-4f1d';

let api: TestApi;
const ids: Record<string, string> = {};
beforeAll(async () => {
  api = await startTestApi();
  const batch = await api.post('/ingest/batch', {
    items: [
      {
        source: { type: 'text', text: `The ${canary} sings about tides.` },
        documentId: 'secret',
        metadata: { canary },
      },
    ],
  });
  const { batchId, jobs } = BatchAccepted.parse(await batch.json());
  await api.flow.drain();
  const events = await readEvents(await api.post('/rag', { question: 'Who sings about tides?', stream: true }));
  const sources = (events[0]?.data ?? {}) as { answerId?: string };
  Object.assign(ids, { batchId, jobId: jobs[0]?.id, documentId: 'secret', answerId: sources.answerId });
});
afterAll(() => api.close());

const withIds = (Object.values(endpoints) as Endpoint[]).filter((endpoint) => endpoint.params);
const pathOf = (endpoint: Endpoint) =>
  endpoint.path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => ids[name] ?? 'missing');
const bodies: Record<string, unknown> = { patchDocument: { title: 'Mine' } };

test.each(withIds)('$id answers 404 for another tenant’s id, and what it names is untouched', async (endpoint) => {
  const path = pathOf(endpoint);
  expect(path).not.toContain('missing');
  const body = bodies[endpoint.id];
  const init = { method: endpoint.method.toUpperCase(), ...other };
  const answer = endpoint.body ? await api.post(path, body, init) : await api.call(path, init);
  expect(answer.status).toBe(404);
  expect(await answer.text()).not.toContain(canary);
  // The owner finds it, so that the 404 above is about the tenant.
  if (endpoint.method === 'get') expect((await api.call(path)).status).toBe(200);
  expect(await (await api.call('/documents/secret')).json()).toMatchObject({ title: 'secret', state: 'active' });
});

test('lists, searches, answers and counts of another tenant hold nothing of it, whatever the filter', async () => {
  const filters = [
    undefined,
    { tenant: 'acme' },
    { documentId: 'secret' },
    { $or: [{ documentId: 'secret' }, { canary }] },
  ];
  for (const filter of filters) {
    const found = await api.post(
      '/search',
      { query: `${canary} tides`, minScore: -1, ...(filter ? { filter } : {}) },
      other,
    );
    expect(await found.json()).toMatchObject({ hits: [] });
    const answer = await api.post('/rag', { question: `${canary} tides?`, ...(filter ? { filter } : {}) }, other);
    expect(await answer.json()).toMatchObject({ citations: [] });
  }
  const batch = await api.post('/search/batch', { queries: [{ query: canary, namespace: 'default' }] }, other);
  expect(await batch.json()).toMatchObject({ results: [{ hits: [] }] });
  for (const path of ['/jobs', '/documents', '/jobs?documentId=secret']) {
    expect(await (await api.call(path, other)).json()).toEqual({ items: [] });
  }
  expect(await (await api.call('/stats', other)).json()).toMatchObject({ documents: 0, chunks: 0, namespaces: [] });
});

test('the same documentId in two tenants is two documents', async () => {
  await api.ingested('Umbrella has a secret of its own.', { documentId: 'secret' }, other.token);
  expect(await (await api.call('/documents/secret/content', other)).text()).toContain('Umbrella');
  expect(await (await api.call('/documents/secret/content')).text()).toContain(canary);
  expect((await api.call('/documents/secret', { method: 'DELETE', ...other })).status).toBe(200);
  expect((await api.call('/documents/secret')).status).toBe(200);
});
