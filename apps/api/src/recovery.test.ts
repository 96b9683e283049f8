import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { rebuildLedger } from '@semantic-memory/shared/ingest/recovery/rebuild-ledger';
import { reconcile } from '@semantic-memory/shared/ingest/recovery/reconcile';
import { startTestApi, type TestApi } from './testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.close());

const statusOf = async (path: string) => (await api.call(path)).status;

test('while the ledger is being rebuilt every route answers 503 with Retry-After, none 404', async () => {
  const { id } = await api.ingested('A text.', { documentId: 'd' });
  api.flow.ledger.wipe();
  const reads = [
    '/jobs',
    `/jobs/${id}`,
    `/jobs/${id}/events`,
    '/documents',
    '/documents/d',
    '/documents/d/text',
    '/stats',
  ];
  for (const path of reads) expect([path, await statusOf(path)]).toEqual([path, 503]);
  const ingest = await api.post('/ingest', { source: { type: 'text', text: 'Another.' } });
  expect([ingest.status, ingest.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await ingest.json()).toMatchObject({ error: { code: 'rebuilding' } });
  expect((await api.post('/search', { query: 'text' })).status).toBe(503);
  await api.flow.ledger.rebuildOnce(async (ledger, signal) => {
    await rebuildLedger({ ...api.flow.deps, ledger }, signal);
  });
  for (const path of reads) expect([path, await statusOf(path)]).toEqual([path, 200]);
});

test('what a restarted ledger does not know is not said to be absent before it was compared', async () => {
  const lose = api.flow.ledger.remember();
  const { id } = await api.ingested('A text.', { documentId: 'd' });
  lose();
  expect([await statusOf(`/jobs/${id}`), await statusOf('/documents/d')]).toEqual([503, 503]);
  const start = await api.flow.ledger.serverStart();
  await reconcile(api.flow.deps, { documents: 'all', tailLost: true });
  await api.flow.ledger.markCompared(start);
  expect([await statusOf(`/jobs/${id}`), await statusOf('/documents/d')]).toEqual([200, 200]);
  expect(await statusOf('/documents/never-was')).toBe(404);
});
