import { beforeEach, expect, test } from '@jest/globals';
import { askDry } from '@semantic-memory/shared/ingest/dry-run/ask';
import { removeDocument } from '@semantic-memory/shared/ingest/remove';
import { deletingKey, vectorsKey } from '@semantic-memory/shared/ingest/stored/blob-keys';
import type { QueuedJob } from '@semantic-memory/shared/ports/job-queue';
import { createInMemoryFlow, type InMemoryFlow } from '@semantic-memory/shared/testing/in-memory-flow';
import { createHandlers, dispatch, type Handlers } from './handlers.ts';

const dayMs = 24 * 3_600_000;
const delivery = { attempt: 1, lastAttempt: false, stalls: 0, signal: new AbortController().signal };

let flow: InMemoryFlow;
let handlers: Handlers;
beforeEach(() => {
  flow = createInMemoryFlow();
  handlers = createHandlers({ ...flow.deps, recovery: flow.ledger, versionRetentionMs: 30 * dayMs });
});

/** As the queue hands it over. */
const run = (job: QueuedJob) => dispatch(handlers, job as Parameters<typeof dispatch>[1], delivery);

/** Runs what is queued, and what that queues. @returns the names of the jobs, in order */
async function runAll(): Promise<string[]> {
  const names: string[] = [];
  for (let job = flow.queue.take(); job; job = flow.queue.take()) {
    names.push(job.name);
    await run(job);
  }
  return names;
}

test('a document goes through its steps, whichever names they have, and its webhook is called', async () => {
  const { id } = await flow.ingest('Tides rise twice a day.\f', { callbackUrl: 'https://example.org/hook' });
  flow.faults.ocr.set(2, 'A page that was a picture.');
  expect(await runAll()).toEqual(['parse', 'ocr', 'embed', 'index', 'notify']);
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'succeeded' });
  expect(flow.calls.map(({ url }) => url)).toEqual(['https://example.org/hook']);
});

test('a dry run is fetched and parsed, and its reply is left for whoever asked', async () => {
  const body = async function* () {
    yield Buffer.from('The moon raises two tides a day.');
  };
  Object.assign(flow.deps.web, { fetch: async (url: string) => ({ body: body(), finalUrl: url }) });
  const source = { type: 'url' as const, url: 'https://example.org/moon' };
  const asked = askDry(flow.deps, { tenant: 'acme', source }, new AbortController().signal);
  while (flow.queue.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await runAll()).toEqual(['dryRunFetch', 'dryRun']);
  expect(await asked).toMatchObject({ pages: 1, chunks: 1 });
});

test('what a deleted document has in the stores is swept', async () => {
  await flow.ingest('Tides rise twice a day.');
  await runAll();
  await removeDocument(flow.deps, 'acme', 'notes');
  const key = { tenant: 'acme', namespace: 'default', model: flow.deps.embeddingModel };
  const vector = new Float32Array(flow.deps.embedderFor(key.model).dimension);
  const late = { documentId: 'notes', version: 1, index: 0, headings: [], start: 0, end: 1, text: 'x', vector };
  await flow.vectors.addMissing(key, [{ ...late, chunkId: 'late' }]);
  expect(await runAll()).toEqual(['sweep']);
  expect(await flow.vectors.count(key)).toBe(0);
});

test('a version whose vectors are missing gets them again', async () => {
  const { id: jobId } = await flow.ingest('Tides rise twice a day.');
  await runAll();
  const ref = { tenant: 'acme', documentId: 'notes', version: 1 };
  await flow.blobs.remove(vectorsKey(ref, 0));
  await run({ name: 'reembed', payload: { schemaVersion: 1, namespace: 'default', ...ref, jobId } });
  expect(await flow.blobs.has(vectorsKey(ref, 0))).toBe(true);
  expect(flow.embedded).toHaveLength(2);
});

test('a version that was replaced is forgotten once its time is over, and not before', async () => {
  await flow.ingest('The first.');
  await runAll();
  await flow.ingest('The second.');
  await runAll();
  const versions = async () => (await flow.ledger.getDocument('acme', 'notes'))?.versions.map(({ version }) => version);
  const expire: QueuedJob = { name: 'expire', payload: { schemaVersion: 1 } };
  flow.ahead = 29 * dayMs;
  await run(expire);
  expect(await versions()).toEqual([2, 1]);
  flow.ahead = 31 * dayMs;
  await run(expire);
  expect(await versions()).toEqual([2]);
  expect((await flow.ledger.listJobs('acme', { limit: 9 })).items.map(({ version }) => version)).toEqual([2]);
});

test('what cannot be forgotten keeps nothing else from being forgotten, and is said', async () => {
  await flow.ingest('The first.');
  await runAll();
  await flow.ingest('The second.');
  await runAll();
  await flow.blobs.put(deletingKey('acme', 'another'), Buffer.from('half'));
  flow.ahead = 31 * dayMs;
  await expect(run({ name: 'expire', payload: { schemaVersion: 1 } })).rejects.toMatchObject({ code: 'internal' });
  expect((await flow.ledger.getDocument('acme', 'notes'))?.versions.map(({ version }) => version)).toEqual([2]);
});

test('a reconcile finds what the queue has lost', async () => {
  const { id } = await flow.ingest('Tides rise twice a day.');
  while (flow.queue.take());
  flow.ahead = 60 * 60_000;
  await run({ name: 'reconcile', payload: { schemaVersion: 1, reason: 'periodic' } });
  expect(await runAll()).toContain('parse');
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'succeeded' });
});
