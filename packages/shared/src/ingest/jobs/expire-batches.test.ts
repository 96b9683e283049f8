import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createExpiringFlow, day, request } from '../../testing/expiring-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { acceptRejected } from '../accept.ts';
import { newBatchId } from '../new-id.ts';
import { reconcile } from '../recovery/reconcile.ts';
import { removeDocument } from '../remove.ts';
import { recordBatch } from '../stored/batch-record.ts';
import { batchKey } from '../stored/blob-keys.ts';
import { expireJobs } from './expire-jobs.ts';

test('a batch and its rejected items are forgotten so long after it was made; jobs of what was accepted are not', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const batchId = newBatchId();
  const good = await flow.ingest('In a batch.', { documentId: 'a', batchId });
  const error = new MemoryError('invalid_request', 'No.');
  // Under the name of a document whose first version is another job's.
  const described = { ...request, documentId: 'a', source: { type: 'upload' }, batchId } as const;
  const bad = await acceptRejected(flow.deps, described, error);
  await recordBatch(flow.deps, 'acme', batchId, [good, bad]);
  flow.ahead = 10 * day + 60_000;
  // One of its jobs is still on its way.
  expect(await expiring.expire()).toBe(1);
  expect(await flow.ledger.getBatch('acme', batchId)).toBeDefined();
  await flow.drain();
  flow.ahead = 11 * day + 120_000;
  expect(await expiring.expire()).toBe(1);
  expect(await flow.ledger.getBatch('acme', batchId)).toBeUndefined();
  expect(await flow.blobs.has(batchKey('acme', batchId))).toBe(false);
  expect(await expiring.jobIds()).toEqual([good.id]);
  await expiring.loseAndRebuild();
  expect(await expiring.jobIds()).toEqual([good.id]);
  expect(await flow.ledger.getBatch('acme', batchId)).toBeUndefined();
});

test('a batch whose time is over is neither restored nor said to be missing', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const batchId = newBatchId();
  const bad = await acceptRejected(
    flow.deps,
    { ...request, source: { type: 'upload' }, batchId },
    new MemoryError('invalid_request', 'No.'),
  );
  await recordBatch(flow.deps, 'acme', batchId, [bad]);
  flow.ahead = 11 * day;
  await expiring.loseAndRebuild();
  expect(await reconcile(flow.deps, { documents: 'all' })).toMatchObject({ drift: {} });
  expect([await expiring.jobIds(), await flow.ledger.getBatch('acme', batchId)]).toEqual([[], undefined]);
  // What is left of it, in the ledger or beside it, goes with the next run.
  expect(await flow.blobs.has(batchKey('acme', batchId))).toBe(true);
  await expireJobs(flow.deps);
  expect(await flow.blobs.has(batchKey('acme', batchId))).toBe(false);
});

test('what an earlier release recorded of batches and deletes is forgotten once it was met', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  const { retire } = flow.ledger;
  Object.assign(flow.ledger, { retire: async () => {} });
  await expiring.ingested('The harbour is open.');
  await removeDocument(flow.deps, 'acme', 'notes');
  const batchId = newBatchId();
  const described = { ...request, source: { type: 'upload' }, batchId } as const;
  const bad = await acceptRejected(flow.deps, described, new MemoryError('invalid_request', 'No.'));
  await recordBatch(flow.deps, 'acme', batchId, [bad]);
  Object.assign(flow.ledger, { retire });
  flow.ahead = 11 * day;
  expect(await reconcile(flow.deps, { documents: 'all' })).toMatchObject({ drift: {} });
  await expireJobs(flow.deps);
  expect(await expiring.jobIds()).toEqual([]);
  expect(await flow.ledger.getBatch('acme', batchId)).toBeUndefined();
});

test('a rejected item whose request died before it was recorded leaves nothing to look at', async () => {
  const expiring = createExpiringFlow();
  const { flow } = expiring;
  onNext(flow.ledger, 'createParentJob', () => Promise.reject(new Error('killed')));
  const error = new MemoryError('invalid_request', 'No.');
  await expect(acceptRejected(flow.deps, { ...request, source: { type: 'upload' } }, error)).rejects.toThrow('killed');
  flow.ahead = 11 * day;
  expect(await flow.ledger.retired(flow.deps.clock.now(), 10)).toHaveLength(1);
  await expireJobs(flow.deps);
  expect(await flow.ledger.retired(flow.deps.clock.now(), 10)).toEqual([]);
});
