import { expect, test } from '@jest/globals';
import type { StepPayload } from '../contracts/jobs.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { onNext } from '../testing/on-next.ts';
import { removeRecords, takeBackLateWrites } from './index-step.ts';
import { currentStep } from './next-jobs.ts';
import { documentPrefix, outcomeKey } from './stored/blob-keys.ts';
import { writeTombstone } from './stored/tombstone.ts';

const scope = { tenant: 'acme', namespace: 'default' };
const key = (flow: InMemoryFlow) => ({ ...scope, model: flow.deps.embeddingModel });
const ref = { tenant: 'acme', documentId: 'notes', version: 1 };

async function runUntil(flow: InMemoryFlow, step: string): Promise<void> {
  while (flow.queue.waiting[0]?.name !== step) await flow.runNext();
}

const blobsOf = (flow: InMemoryFlow) =>
  [...flow.blobs.blobs.keys()].filter((one) => one.startsWith(documentPrefix('acme', 'notes')));

test('a ledger that has lost the document without a word of a delete keeps the commit waiting', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('The harbour is open.');
  await runUntil(flow, 'index');
  onNext(flow.ledger, 'activateVersion', async (call) => {
    await flow.ledger.removeDocument('acme', 'notes');
    return call();
  });
  await expect(flow.runNext()).rejects.toMatchObject({ code: 'dependency_unavailable', retry: { kind: 'wait' } });
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'waiting', stage: 'index' });
  // What was decided stands until the ledger is rebuilt.
  expect(flow.blobs.blobs.has(outcomeKey(ref))).toBe(true);
  expect(await flow.vectors.count(key(flow))).toBe(1);
});

test('a version that a ledger took for one of a new document goes with the delete that it came before', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await flow.drain();
  const { id } = await flow.ingest('The harbour is shut.');
  await runUntil(flow, 'index');
  const at = new Date(flow.deps.clock.now()).toISOString();
  await writeTombstone(flow.blobs, { tenant: 'acme', documentId: 'notes', upToVersion: 2, at, jobs: [] });
  await flow.runNext();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'cancelled' });
  expect(await flow.ledger.getDocument('acme', 'notes')).toBeUndefined();
  expect(await flow.vectors.count(key(flow))).toBe(0);
  expect(blobsOf(flow)).toEqual([]);
});

test('where a newer version has come since the delete, only the deleted one goes', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await flow.drain();
  const { id } = await flow.ingest('The harbour is shut.');
  await runUntil(flow, 'index');
  const step = flow.queue.take();
  await flow.ingest('The harbour is full.');
  await flow.drain();
  const at = new Date(flow.deps.clock.now()).toISOString();
  await writeTombstone(flow.blobs, { tenant: 'acme', documentId: 'notes', upToVersion: 2, at, jobs: [] });
  await flow.queue.add(step ? [step] : []);
  await flow.drain();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'cancelled' });
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ activeVersion: 3 });
  expect((await flow.vectors.versions(key(flow))).has('notes@2')).toBe(false);
});

test('an active version keeps its records, also where the blob store has lost how it ended', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  const payload = currentStep(job).payload as StepPayload;
  await flow.drain();
  await flow.blobs.remove(outcomeKey(ref));
  await removeRecords(flow.deps, payload);
  expect(await flow.vectors.count(key(flow))).toBe(1);
});

test('what a step has written is left to it while its job is open, and where nobody knows the job', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  const payload = currentStep(job).payload as StepPayload;
  await runUntil(flow, 'index');
  const record = {
    ...{ chunkId: '0123456789abcdef0123456789abcdef', vector: new Float32Array(64).fill(0.125), text: 'Open.' },
    ...{ documentId: 'notes', version: 1, index: 0, page: undefined, headings: [], start: 0, end: 5 },
  };
  await flow.vectors.addMissing(key(flow), [record]);
  await takeBackLateWrites(flow.deps, payload);
  await takeBackLateWrites(flow.deps, { ...payload, jobId: 'job_00000000000000000000000000' });
  expect(await flow.vectors.count(key(flow))).toBe(1);
});
