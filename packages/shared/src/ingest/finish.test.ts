import { beforeEach, expect, test } from '@jest/globals';
import type { JobRecord } from '../ports/ledger.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { endJob } from './finish.ts';
import { readOutcome, writeOutcomeOnce } from './stored/outcome.ts';

let flow: InMemoryFlow;
let job: JobRecord;
beforeEach(async () => {
  flow = createInMemoryFlow();
  job = await flow.ingest('The harbour is open.');
});

const error = { code: 'internal', message: 'The parser died.' } as const;
const wish = { code: 'cancelled', message: 'Somebody wished it.' } as const;
const end = (state: 'failed' | 'cancelled' | 'succeeded', facts = {}) =>
  endJob(flow.deps, { ...job, jobId: job.id }, state, { ...facts, job });
const recorded = () => flow.ledger.getJob('acme', job.id);

test('of two ends at the same time the first one stands, in the blob store and in the ledger', async () => {
  await end('cancelled', { error: wish });
  expect(await end('failed', { error })).toMatchObject({ state: 'cancelled', error: wish });
  expect(await readOutcome(flow.blobs, { ...job, version: 1 })).toMatchObject({ state: 'cancelled' });
  expect(await recorded()).toMatchObject({ state: 'cancelled', error: wish });
});

test.each(['succeeded', 'partial'] as const)('a commit that was decided as %s is left to itself', async (state) => {
  const at = new Date(flow.deps.clock.now()).toISOString();
  await writeOutcomeOnce(flow.blobs, job, { state, run: 0, at });
  expect(await end('cancelled', { error: wish })).toMatchObject({ state: 'queued' });
  expect(await recorded()).toMatchObject({ state: 'queued' });
});

test('a job whose request was given up meanwhile ends as cancelled', async () => {
  const at = new Date(flow.deps.clock.now()).toISOString();
  await writeOutcomeOnce(flow.blobs, job, { state: 'aborted', run: 0, at });
  await end('failed', { error });
  expect(await recorded()).toMatchObject({
    state: 'cancelled',
    finishedAt: at,
  });
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ versions: [{ state: 'failed' }] });
});
