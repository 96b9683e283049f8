import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { acceptRejected } from '../accept.ts';
import { reconcile } from '../recovery/reconcile.ts';
import { pendingPrefix } from '../stored/blob-keys.ts';
import { readOutcome } from '../stored/outcome.ts';
import { isDeadLetter, retryDeadLetter } from './dead-letters.ts';
import { retryJob } from './retry.ts';

const key = (flow: InMemoryFlow) => ({ tenant: 'acme', namespace: 'default', model: flow.deps.embeddingModel });
const jobOf = async (flow: InMemoryFlow, id: string) => {
  const job = await flow.ledger.getJob('acme', id);
  if (!job) throw new Error(`no job ${id}`);
  return job;
};

/** A job that has failed in embedding, by a fault of ours. */
async function failedJob(flow: InMemoryFlow, documentId = 'notes') {
  const job = await flow.ingest('The harbour is open.', { documentId });
  await flow.runNext();
  flow.faults.embed = new MemoryError('internal', 'The model died.', { retry: { kind: 'never' } });
  await flow.drain();
  return jobOf(flow, job.id);
}

test('a retry goes on from the last finished step, as another run', async () => {
  const flow = createInMemoryFlow();
  const job = await failedJob(flow);
  expect(await retryJob(flow.deps, 'acme', job.id)).toMatchObject({ state: 'queued', stage: 'embed', run: 1 });
  expect(flow.queue.waiting.map(({ name }) => name)).toEqual(['embed']);
  await flow.drain();
  const ended = await jobOf(flow, job.id);
  expect(ended).toMatchObject({ state: 'succeeded', run: 1 });
  expect(ended.stages.find((stage) => stage.name === 'parse')?.attempts).toBe(1);
  expect(await readOutcome(flow.blobs, { ...job, tenant: 'acme' })).toMatchObject({ state: 'succeeded', run: 1 });
});

test('of many retries at the same time one begins a run, the others are told that it runs', async () => {
  const flow = createInMemoryFlow();
  const job = await failedJob(flow);
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => retryJob(flow.deps, 'acme', job.id)));
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'conflict' });
  }
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded', run: 1 });
  expect(await flow.vectors.count(key(flow))).toBe(1);
});

test('a retry that comes late does not take away how the one before it ended', async () => {
  const flow = createInMemoryFlow();
  const job = await failedJob(flow);
  const { updateJob } = flow.ledger;
  flow.ledger.updateJob = async (...args) => {
    flow.ledger.updateJob = updateJob;
    // Held up here while another retry begins the run and the run ends.
    await retryJob(flow.deps, 'acme', job.id);
    await flow.drain();
    return updateJob(...args);
  };
  await expect(retryJob(flow.deps, 'acme', job.id)).rejects.toMatchObject({ code: 'conflict' });
  expect(await readOutcome(flow.blobs, { ...job, tenant: 'acme' })).toMatchObject({ state: 'succeeded' });
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded', run: 1 });
  // The marker that it left says nothing wrong.
  flow.ahead = 3_600_000;
  await reconcile(flow.deps);
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded', run: 1 });
});

test('a retry whose process dies before it hands the run out is found by the reconciler', async () => {
  const flow = createInMemoryFlow();
  const job = await failedJob(flow);
  const { remove } = flow.blobs;
  flow.blobs.remove = () => Promise.reject(new Error('the process died here'));
  await expect(retryJob(flow.deps, 'acme', job.id)).rejects.toThrow('died');
  flow.blobs.remove = remove;
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'queued', run: 1 });
  flow.ahead = 3_600_000;
  await reconcile(flow.deps);
  // The end of the run before is still there, and is not taken for that of this one.
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'queued', run: 1 });
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded', run: 1 });
  expect(await readOutcome(flow.blobs, { ...job, tenant: 'acme' })).toMatchObject({ state: 'succeeded', run: 1 });
  const markers: string[] = [];
  for await (const marker of flow.blobs.list(pendingPrefix)) markers.push(marker);
  expect(markers).toEqual([]);
});

test('a job whose document has a newer active version is not retried', async () => {
  const flow = createInMemoryFlow();
  const old = await failedJob(flow);
  await flow.ingest('The harbour is closed.', { priority: 'high' });
  // As long as the newer one has not won, nobody knows that it will.
  await retryJob(flow.deps, 'acme', old.id);
  await flow.drain();
  expect(await jobOf(flow, old.id)).toMatchObject({ state: 'cancelled', run: 1 });
  await expect(retryJob(flow.deps, 'acme', old.id)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('Version 2'),
  });
});

test('what a retry reads anew is what the index holds, and nothing of before', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('One.\f\fThree.');
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'partial' });
  flow.faults.ocr.set(2, 'Two.');
  await retryJob(flow.deps, 'acme', job.id);
  await flow.drain();
  const { dimension } = flow.deps.embedderFor(flow.deps.embeddingModel);
  const found = await flow.vectors.query(key(flow), { vector: new Float32Array(dimension).fill(1), limit: 10 });
  expect(found.map((hit) => hit.text).join(' ')).toContain('Two.');
});

test('dead letters are the jobs that failed by a fault of ours, and only they are retried as such', async () => {
  const flow = createInMemoryFlow();
  const ours = await failedJob(flow);
  const theirs = await flow.ingest('secret', { documentId: 'locked' });
  flow.faults.parse = new MemoryError('encrypted_document', 'It is locked.');
  await flow.drain();
  const page = await flow.ledger.listJobs('acme', { state: 'failed', matches: isDeadLetter, limit: 10 });
  expect(page.items.map(({ id }) => id)).toEqual([ours.id]);
  await expect(retryDeadLetter(flow.deps, 'acme', theirs.id)).rejects.toMatchObject({ code: 'conflict' });
  await expect(retryDeadLetter(flow.deps, 'umbrella', ours.id)).rejects.toMatchObject({ code: 'not_found' });
  await retryDeadLetter(flow.deps, 'acme', ours.id);
  await flow.drain();
  expect(await jobOf(flow, ours.id)).toMatchObject({ state: 'succeeded' });
  expect((await flow.ledger.listJobs('acme', { state: 'failed', matches: isDeadLetter, limit: 10 })).items).toEqual([]);
});

test('a job that nobody knows cannot be retried, nor one that is taken out in the very moment', async () => {
  const flow = createInMemoryFlow();
  const unknown = { code: 'not_found', message: expect.stringContaining('There is no job') };
  await expect(retryJob(flow.deps, 'acme', 'job_00000000000000000000000000')).rejects.toMatchObject(unknown);
  await expect(retryDeadLetter(flow.deps, 'acme', 'job_00000000000000000000000000')).rejects.toMatchObject(unknown);
  const job = await failedJob(flow);
  onNext(flow.ledger, 'updateJob', async (call) => {
    await flow.ledger.withdrawVersion(job, 'notes', 1, job.id);
    return call();
  });
  await expect(retryJob(flow.deps, 'acme', job.id)).rejects.toMatchObject(unknown);
});

test('of two retries of a job that is to call back, only the one that begins the run owes its call', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('The harbour is open.', { callbackUrl: 'https://example.org/hook' });
  flow.faults.parse = new MemoryError('corrupt_document', 'It ends early.');
  await flow.drain();
  onNext(flow.ledger, 'updateJob', async (call) => {
    await retryJob(flow.deps, 'acme', id);
    return call();
  });
  await expect(retryJob(flow.deps, 'acme', id)).rejects.toMatchObject({ code: 'conflict' });
  await flow.drain();
  expect(await jobOf(flow, id)).toMatchObject({ state: 'succeeded', run: 1 });
  // One for the end before, and one for this run's.
  expect(flow.calls.map(({ body }) => JSON.parse(body).state)).toEqual(['failed', 'succeeded']);
  expect([...flow.blobs.blobs.keys()].filter((key) => key.startsWith('webhooks/'))).toEqual([]);
});

test('a retry that the queue does not take is begun all the same, and handed out by the reconciler', async () => {
  const flow = createInMemoryFlow();
  const job = await failedJob(flow);
  flow.queue.unavailable = true;
  expect(await retryJob(flow.deps, 'acme', job.id)).toMatchObject({ state: 'queued', run: 1 });
  flow.queue.unavailable = false;
  flow.ahead += 120_000;
  await reconcile(flow.deps);
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded', run: 1 });
});

test('a job that is on its way, or has ended well, is no dead letter', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('The harbour is open.');
  const refused = (state: string) => ({ code: 'conflict', message: `Job ${id} is no dead letter: it is ${state}.` });
  await expect(retryDeadLetter(flow.deps, 'acme', id)).rejects.toMatchObject(refused('queued'));
  await flow.drain();
  await expect(retryDeadLetter(flow.deps, 'acme', id)).rejects.toMatchObject(refused('succeeded'));
});

test('an item that was rejected is not retried as the version of another job', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  await flow.drain();
  const described = { tenant: 'acme', namespace: 'default', documentId: 'notes', metadata: {} } as const;
  const rejected = await acceptRejected(
    flow.deps,
    { ...described, priority: 'normal', options: {}, source: { type: 'upload' } },
    new MemoryError('invalid_request', 'No.'),
  );
  const stored = [...flow.blobs.blobs.keys()];
  await expect(retryJob(flow.deps, 'acme', rejected.id)).rejects.toMatchObject({ code: 'conflict' });
  expect([...flow.blobs.blobs.keys()]).toEqual(stored);
  expect(flow.queue.waiting).toEqual([]);
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded', run: 0 });
});
