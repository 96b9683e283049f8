import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { StepPayload } from '../contracts/jobs.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { onNext } from '../testing/on-next.ts';
import { abortVersion } from './abort.ts';
import { cancelJob } from './jobs/cancel.ts';
import { runStep } from './run-step.ts';
import { manifestKey, outcomeKey } from './stored/blob-keys.ts';

const ref = { tenant: 'acme', documentId: 'notes', version: 1 };
const key = (flow: InMemoryFlow) => ({ tenant: 'acme', namespace: 'default', model: flow.deps.embeddingModel });
const jobOf = (flow: InMemoryFlow, id: string) => flow.ledger.getJob('acme', id);

async function runUntil(flow: InMemoryFlow, step: string): Promise<void> {
  while (flow.queue.waiting[0]?.name !== step) await flow.runNext();
}

test('no step is run of a version whose request was given up', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  const before = await jobOf(flow, job.id);
  onNext(flow.ledger, 'withdrawVersion', () => Promise.reject(new MemoryError('dependency_unavailable', 'Away.')));
  await abortVersion(flow.deps, { ...job, jobId: job.id });
  await flow.drain();
  expect(await jobOf(flow, job.id)).toEqual(before);
  expect(flow.embedded).toEqual([]);
});

test.each(['parse', 'index'])('a step %s that is cancelled under way leaves nothing behind', async (name) => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  await runUntil(flow, name);
  let cancel = () => {};
  Object.assign(flow.deps.cancellations, {
    watch: () => {
      const controller = new AbortController();
      cancel = () => controller.abort();
      return { signal: controller.signal, stop: () => {} };
    },
  });
  // The manifest is the first thing that a step reads.
  onNext(
    flow.blobs,
    'get',
    async (call) => {
      await cancelJob(flow.deps, 'acme', job.id);
      cancel();
      return call();
    },
    (one) => one === manifestKey(ref),
  );
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'cancelled' });
  expect(await flow.vectors.count(key(flow))).toBe(0);
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ activeVersion: 0 });
});

test.each(['parse', 'index'])('a step %s that has to let go of its job leaves it to who has it now', async (name) => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  await runUntil(flow, name);
  const [step] = flow.queue.waiting;
  const lost = new MemoryError('internal', 'The lock was lost.', { retry: { kind: 'elsewhere' } });
  const before = await jobOf(flow, job.id);
  const run = runStep(flow.deps, name as 'parse' | 'index', step?.payload as StepPayload, {
    ...{ attempt: 1, lastAttempt: true, stalls: 0 },
    signal: AbortSignal.abort(lost),
  });
  await expect(run).rejects.toBe(lost);
  expect(await jobOf(flow, job.id)).toEqual(before);
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
});

test('a record of an end that cannot be read is a fault of ours, and no reason to wait', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  await flow.blobs.put(outcomeKey(ref), new TextEncoder().encode('{"half":'));
  await expect(flow.runNext()).rejects.toMatchObject({ code: 'internal', retry: { kind: 'backoff' } });
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'queued' });
});

test('where blob store and ledger are away both, the queue alone holds the job, and it goes on', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  flow.blobs.unavailable = true;
  onNext(flow.ledger, 'updateJob', () => Promise.reject(new MemoryError('dependency_unavailable', 'Away too.')));
  await expect(flow.runNext()).rejects.toMatchObject({ message: 'The blob store does not answer.' });
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'queued' });
  flow.blobs.unavailable = false;
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
});
