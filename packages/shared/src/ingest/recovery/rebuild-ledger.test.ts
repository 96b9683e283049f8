import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { isTerminal } from '../../contracts/model/job.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { acceptRejected } from '../accept.ts';
import { acceptOnce } from '../idempotency/accept-once.ts';
import { cancelJob } from '../jobs/cancel.ts';
import { retryJob } from '../jobs/retry.ts';
import { newBatchId } from '../new-id.ts';
import { removeDocument } from '../remove.ts';
import { runStep } from '../run-step.ts';
import { recordBatch } from '../stored/batch-record.ts';
import { outcomeKey, patchKey } from '../stored/blob-keys.ts';
import { patchDocument } from '../versions/patch-document.ts';
import { rebuildLedger } from './rebuild-ledger.ts';

/** All that the API could show of a tenant. */
async function shownOf({ ledger }: InMemoryFlow, tenant = 'acme') {
  const jobs = (await ledger.listJobs(tenant, { limit: 1000 })).items;
  const documents = (await ledger.listDocuments(tenant, { limit: 1000 })).items;
  const namespaces = await ledger.namespaces(tenant);
  const rows = await Promise.all(
    namespaces.map(async ({ namespace }) => (await ledger.documentChanges({ tenant, namespace }, undefined)).rows),
  );
  const byId = (a: { documentId: string }, b: { documentId: string }) => (a.documentId < b.documentId ? -1 : 1);
  return { jobs, documents, namespaces, rows: rows.map((ofNamespace) => ofNamespace.toSorted(byId)) };
}

async function loseAndRebuild(flow: InMemoryFlow): Promise<void> {
  flow.ledger.wipe();
  // The queue was in the same server.
  while (flow.queue.take()) {}
  const rebuilt = await flow.ledger.rebuildOnce(async (ledger, signal) => {
    await rebuildLedger({ ...flow.deps, ledger }, signal);
  });
  expect(rebuilt).toBe(true);
}

test('what has ended is shown after a loss of the ledger as before it', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The first text.', { documentId: 'a', title: 'First', metadata: { n: 1 } });
  await flow.drain();
  await flow.ingest('The second text.', { documentId: 'a', title: 'Second', metadata: { n: 2 } });
  await flow.ingest('   ', { documentId: 'blank' });
  await flow.ingest('Elsewhere.', { documentId: 'b', namespace: 'other' });
  await flow.drain();
  flow.faults.ocr.set(2, 'A page that was read.');
  await flow.ingest('One\f\f\f', { documentId: 'pages' });
  const cancelled = await flow.ingest('Not wanted.', { documentId: 'c' });
  await cancelJob(flow.deps, 'acme', cancelled.id);
  await flow.drain();
  const before = await shownOf(flow);
  expect(new Set(before.jobs.map((job) => job.state))).toEqual(
    new Set(['succeeded', 'partial', 'failed', 'cancelled']),
  );

  await loseAndRebuild(flow);
  expect(await shownOf(flow)).toEqual(before);
  expect(flow.queue.waiting).toEqual([]);
});

test('while the ledger is not whole nothing is said to be absent, and nothing is written', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('A text.');
  await flow.drain();
  flow.ledger.wipe();
  const refused = { code: 'rebuilding', retry: { kind: 'wait' } };
  await expect(flow.ledger.getJob('acme', job.id)).rejects.toMatchObject(refused);
  await expect(flow.ledger.getDocument('acme', 'notes')).rejects.toMatchObject(refused);
  await expect(flow.ingest('Another.')).rejects.toMatchObject(refused);
  await loseAndRebuild(flow);
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
  expect((await flow.ledger.getDocument('acme', 'notes'))?.versions).toHaveLength(1);
});

test('a loss in mid-ingest: every step goes on from its artifacts, and nothing is embedded twice', async () => {
  const flow = createInMemoryFlow();
  const jobs = [];
  for (let steps = 0; steps <= 3; steps += 1) {
    jobs.push(await flow.ingest(`Text number ${steps} of some.`, { documentId: `d${steps}` }));
    for (let step = 0; step < steps; step += 1) await flow.runNext();
    while (flow.queue.take()) {}
  }
  await loseAndRebuild(flow);
  const open = (await shownOf(flow)).jobs.filter((job) => !isTerminal(job.state));
  expect(flow.queue.waiting).toHaveLength(open.length);
  await flow.drain();
  for (const job of jobs) expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
  expect(flow.embedded).toHaveLength(4);
  expect(await flow.vectors.count({ tenant: 'acme', namespace: 'default', model: flow.deps.embeddingModel })).toBe(4);
});

test('a step that runs while the ledger is lost fails no job and is not lost', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('A text that is parsed.');
  flow.ledger.wipe();
  await expect(flow.runNext()).rejects.toMatchObject({ code: 'rebuilding' });
  await loseAndRebuild(flow);
  await flow.drain();
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
});

test('a commit whose durable fact was written and whose ledger was lost then is found committed', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('A text.');
  await flow.runNext();
  await flow.runNext();
  const ledger = { ...flow.ledger, activateVersion: () => flow.ledger.wipe() as never };
  const step = flow.queue.take();
  if (step?.name !== 'index') throw new Error('the document is not up for the index');
  const delivery = { attempt: 1, lastAttempt: false, stalls: 0, signal: new AbortController().signal };
  await expect(runStep({ ...flow.deps, ledger }, 'index', step.payload, delivery)).rejects.toBeDefined();
  expect(flow.blobs.blobs.has(outcomeKey({ tenant: 'acme', documentId: 'notes', version: 1 }))).toBe(true);
  await loseAndRebuild(flow);
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded', progress: 1 });
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ activeVersion: 1 });
});

test('what was deleted stays so, its jobs can still be asked, and version numbers go on', async () => {
  const flow = createInMemoryFlow();
  const first = await flow.ingest('To be deleted.', { documentId: 'x' });
  await flow.drain();
  await removeDocument(flow.deps, 'acme', 'x');
  await flow.ingest('Kept.', { documentId: 'y' });
  await removeDocument(flow.deps, 'acme', 'y');
  const again = await flow.ingest('Came again.', { documentId: 'y' });
  await flow.drain();
  expect(again.version).toBe(2);
  await loseAndRebuild(flow);
  expect(await flow.ledger.getDocument('acme', 'x')).toBeUndefined();
  expect(await flow.ledger.getJob('acme', first.id)).toMatchObject({ state: 'succeeded' });
  expect((await flow.ledger.getDocument('acme', 'y'))?.versions.map((version) => version.version)).toEqual([2]);
  expect((await flow.ingest('Once more.', { documentId: 'x' })).version).toBe(2);
});

test('a delete that was cut off after its durable fact is finished', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('To be deleted.', { documentId: 'x' });
  await flow.drain();
  const ledger = { ...flow.ledger, removeDocument: () => Promise.reject(new Error('the process died')) };
  await expect(removeDocument({ ...flow.deps, ledger }, 'acme', 'x')).rejects.toThrow('died');
  await loseAndRebuild(flow);
  expect(await flow.ledger.getDocument('acme', 'x')).toBeUndefined();
});

test('a title and metadata that were changed survive, and a later version brings its own', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('One.', { documentId: 'a', title: 'Accepted', metadata: { n: 1 } });
  await flow.drain();
  await patchDocument(flow.deps, 'acme', 'a', { title: 'Renamed' });
  await patchDocument(flow.deps, 'acme', 'a', { metadata: { n: 7 } });
  const before = await flow.ledger.getDocument('acme', 'a');
  await loseAndRebuild(flow);
  expect(await flow.ledger.getDocument('acme', 'a')).toEqual(before);
  expect(before).toMatchObject({ title: 'Renamed', metadata: { n: 7 } });
  await flow.ingest('Two.', { documentId: 'a', title: 'Of the second', metadata: { n: 2 } });
  await flow.drain();
  await loseAndRebuild(flow);
  expect(await flow.ledger.getDocument('acme', 'a')).toMatchObject({ title: 'Of the second', metadata: { n: 2 } });
});

test('of changes of one document at the same time none is lost', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('One.', { documentId: 'a' });
  await flow.drain();
  const titles = Array.from({ length: 8 }, (_, index) => `Title ${index}`);
  await Promise.all([
    ...titles.map((title) => patchDocument(flow.deps, 'acme', 'a', { title })),
    patchDocument(flow.deps, 'acme', 'a', { metadata: { kept: true } }),
  ]);
  const before = await flow.ledger.getDocument('acme', 'a');
  expect(before?.metadata).toEqual({ kept: true });
  expect(flow.blobs.blobs.has(patchKey('acme', 'a', 9))).toBe(true);
  await loseAndRebuild(flow);
  const after = await flow.ledger.getDocument('acme', 'a');
  expect([after?.title, after?.metadata]).toEqual([before?.title, before?.metadata]);
});

test('a retry goes on as the run that it was, and what was committed before it stays active meanwhile', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('One\f', { documentId: 'pages' });
  await flow.drain();
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'partial' });
  await retryJob(flow.deps, 'acme', job.id);
  await loseAndRebuild(flow);
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'queued', run: 1 });
  expect(await flow.ledger.getDocument('acme', 'pages')).toMatchObject({ activeVersion: 1 });
  flow.faults.ocr.set(2, 'The page can be read now.');
  await flow.drain();
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded', run: 1 });
  const before = await shownOf(flow);
  const key = { tenant: 'acme', namespace: 'default', model: flow.deps.embeddingModel };
  const found = await flow.vectors.query(key, { vector: new Float32Array(8).fill(1), limit: 9 });
  expect(found.map((hit) => hit.text)).toEqual([expect.stringContaining('can be read now')]);
  await loseAndRebuild(flow);
  expect(await shownOf(flow)).toEqual(before);
});

test('batches with their rejected items, and answers to idempotency keys, survive', async () => {
  const flow = createInMemoryFlow();
  const batchId = newBatchId();
  const good = await flow.ingest('In a batch.', { documentId: 'a', batchId });
  const request = { tenant: 'acme', namespace: 'default', metadata: {}, priority: 'normal', options: {} } as const;
  const bad = await acceptRejected(
    flow.deps,
    { ...request, source: { type: 'upload' }, batchId },
    new MemoryError('invalid_request', 'No.'),
  );
  await recordBatch(flow.deps, 'acme', batchId, [good, bad]);
  const once = () =>
    acceptOnce(flow.deps, { ...request, source: { type: 'url', url: 'http://h/' } }, { key: 'k', fingerprint: 'f' });
  const first = await once();
  const before = await shownOf(flow);
  await loseAndRebuild(flow);
  expect(await flow.ledger.getBatch('acme', batchId)).toEqual([good.id, bad.id]);
  const after = await shownOf(flow);
  expect(after.jobs.map((job) => [job.id, job.state])).toEqual(before.jobs.map((job) => [job.id, job.state]));
  expect(after.jobs.find((job) => job.id === good.id)).toMatchObject({ batchId });
  expect((await once()).id).toBe(first.id);
  expect((await shownOf(flow)).jobs).toHaveLength(before.jobs.length);
});

test('one record that cannot be read keeps none of the others away', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('One.', { documentId: 'good' });
  await flow.ingest('Two.', { documentId: 'bad' });
  await flow.drain();
  await flow.blobs.put(outcomeKey({ tenant: 'acme', documentId: 'bad', version: 1 }), new TextEncoder().encode('{'));
  await loseAndRebuild(flow);
  expect((await shownOf(flow)).documents.map((document) => document.documentId)).toEqual(['good']);
});

test('a job that fails while its document is being deleted is told of as failed, also after Redis was lost', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('   ');
  const { getJobs } = flow.ledger;
  flow.ledger.getJobs = async (tenant, ids) => {
    const found = await getJobs(tenant, ids);
    // What the tombstone is going to say of it is read by now, and not true any more.
    flow.ledger.getJobs = getJobs;
    await flow.drain();
    return found;
  };
  expect(await removeDocument(flow.deps, 'acme', 'notes')).toMatchObject({ verifiedAbsent: true });
  const seen = await flow.ledger.getJob('acme', job.id);
  expect(seen).toMatchObject({ state: 'failed' });
  await loseAndRebuild(flow);
  expect(await flow.ledger.getJob('acme', job.id)).toEqual(seen);
});
