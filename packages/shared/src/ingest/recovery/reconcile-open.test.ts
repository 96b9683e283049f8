import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { retryJob } from '../jobs/retry.ts';
import { removeDocument } from '../remove.ts';
import { documentPrefix, manifestKey, outcomeKey, pendingKey } from '../stored/blob-keys.ts';
import { markPending } from '../stored/pending.ts';
import { type ReconcileScope, reconcile } from './reconcile.ts';

/** Long enough for anything that is under way to be over. */
const later = 120_000;

const refOf = (documentId: string) => ({ tenant: 'acme', documentId, version: 1 });

async function reconciled(flow: InMemoryFlow, scope: ReconcileScope = {}) {
  flow.ahead += later;
  return reconcile(flow.deps, scope);
}

const markers = (flow: InMemoryFlow) => [...flow.blobs.blobs.keys()].filter((key) => key.startsWith('pending/'));

const garbage = new TextEncoder().encode('{"half":');

test('a retry that the ledger has lost is begun again, as the run that it was', async () => {
  const flow = createInMemoryFlow();
  flow.faults.parse = new MemoryError('corrupt_document', 'The file ends early.');
  const { id } = await flow.ingest('A text.', { documentId: 'd' });
  await flow.drain();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'failed' });
  const lose = flow.ledger.remember();
  await retryJob(flow.deps, 'acme', id);
  lose();
  while (flow.queue.take()) {}
  expect(await reconciled(flow)).toMatchObject({ drift: { retry_unrecorded: 1 }, repaired: 1 });
  await flow.drain();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'succeeded', run: 1 });
  expect(markers(flow)).toEqual([]);
});

test('an end that only the ledger knows is written into the blob store, with its reason', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('', { documentId: 'd' });
  await flow.drain();
  const before = await flow.ledger.getJob('acme', id);
  // A blob store that was brought back from a copy of a moment before.
  await flow.blobs.remove(outcomeKey(refOf('d')));
  await markPending(flow.blobs, { ...refOf('d'), jobId: id });
  expect(await reconciled(flow)).toMatchObject({ drift: { end_not_durable: 1 } });
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'failed', error: before?.error });
  expect(flow.blobs.blobs.has(outcomeKey(refOf('d')))).toBe(true);
  expect(markers(flow)).toEqual([]);
  expect((await reconciled(flow)).drift).toEqual({});
});

test('a marker that outlived its job goes, not before its last write can be over', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('A text.', { documentId: 'd' });
  await flow.drain();
  await markPending(flow.blobs, { ...refOf('d'), jobId: id });
  expect((await reconcile(flow.deps)).drift).toEqual({});
  expect(markers(flow)).toEqual([pendingKey(id)]);
  expect(await reconciled(flow)).toMatchObject({ drift: { marker_left: 1 } });
  expect(markers(flow)).toEqual([]);
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'succeeded' });
});

test('a marker of a document that was deleted goes, and its job does not stay open', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('A text.', { documentId: 'd' });
  const marker = await flow.blobs.get(pendingKey(id));
  const lose = flow.ledger.remember();
  await removeDocument(flow.deps, 'acme', 'd');
  lose();
  await flow.ledger.removeDocument('acme', 'd');
  await flow.blobs.put(pendingKey(id), marker ?? garbage);
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'queued' });
  expect(await reconciled(flow)).toMatchObject({ drift: { marker_left: 1 } });
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'cancelled' });
  expect(markers(flow)).toEqual([]);
});

test('a job of which the blob store knows nothing does not stay open for ever', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('A text.', { documentId: 'd' });
  while (flow.queue.take()) {}
  await flow.blobs.remove(pendingKey(id));
  await flow.blobs.removePrefix(documentPrefix('acme', 'd'));
  // Its request may be under way.
  expect((await reconcile(flow.deps)).drift).toEqual({});
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'queued' });
  expect(await reconciled(flow)).toMatchObject({ drift: { job_without_document: 1 } });
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'cancelled' });
});

test('a job that only waits its turn in a busy queue is not handed out a second time', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('A text.', { documentId: 'waits' });
  const added: string[] = [];
  const queue = {
    ...flow.queue,
    add: async (jobs: Parameters<typeof flow.queue.add>[0]) => {
      added.push(...jobs.map(({ name }) => name));
    },
  };
  const look = async (aheadMs: number) => {
    flow.ahead += aheadMs;
    added.length = 0;
    await reconcile({ ...flow.deps, queue });
    return added;
  };
  expect(await look(5 * 60_000)).toEqual([]);
  expect(await look(6 * 60_000)).toEqual(['parse']);
  while (flow.queue.take()) {}
  expect(await look(1)).toEqual(['parse']);
});

test('the reconciliation of one tenant leaves what another has on its way alone', async () => {
  const flow = createInMemoryFlow();
  const mine = await flow.ingest('Mine.', { documentId: 'd' });
  const theirs = await flow.ingest('Theirs.', { documentId: 'd', tenant: 'other' });
  const unmarked = await flow.ingest('Theirs as well.', { documentId: 'e', tenant: 'other' });
  await flow.blobs.remove(pendingKey(unmarked.id));
  while (flow.queue.take()) {}
  expect(await reconciled(flow, { tenant: 'acme' })).toMatchObject({ checked: 1 });
  await flow.drain();
  expect(await flow.ledger.getJob('acme', mine.id)).toMatchObject({ state: 'succeeded' });
  for (const { id } of [theirs, unmarked])
    expect(await flow.ledger.getJob('other', id)).toMatchObject({ state: 'queued' });
  await reconciled(flow);
  await flow.drain();
  for (const { id } of [theirs, unmarked])
    expect(await flow.ledger.getJob('other', id)).toMatchObject({ state: 'succeeded' });
});

test('a marker and a manifest that cannot be read are said to be damaged, and keep nothing else from being repaired', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('Broken.', { documentId: 'broken' });
  await flow.drain();
  const { id } = await flow.ingest('Good.', { documentId: 'good' });
  while (flow.queue.take()) {}
  await flow.blobs.put(pendingKey('job_00000000000000000000000000'), garbage);
  await flow.blobs.put(manifestKey(refOf('broken')), garbage);
  const report = await reconciled(flow, { documents: 'all' });
  expect(report).toMatchObject({ drift: { damaged: 2 }, repaired: 0 });
  await flow.drain();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'succeeded' });
});

test('every document is in one of the 256 parts, which are walked for the tenants that the ledger knows', async () => {
  const flow = createInMemoryFlow();
  const lose = flow.ledger.remember();
  for (const documentId of ['one', 'two', 'three']) await flow.ingest('A text.', { documentId });
  await flow.ingest('A text.', { documentId: 'one', tenant: 'other' });
  await flow.drain();
  lose();
  let found = 0;
  for (const tenant of ['acme', 'other']) {
    await flow.ledger.countVersion(tenant, 'x', 1);
    for (let part = 0; part < 256; part += 1) {
      const { drift } = await reconciled(flow, { documents: { part }, tenant });
      found += drift.job_missing ?? 0;
    }
    expect(found).toBe(tenant === 'acme' ? 3 : 4);
  }
  expect((await reconciled(flow, { documents: 'all' })).drift).toEqual({});
});
