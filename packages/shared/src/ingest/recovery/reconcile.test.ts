import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { accept, acceptRejected } from '../accept.ts';
import { storeOriginal } from '../accept-request.ts';
import { newBatchId } from '../new-id.ts';
import { removeDocument } from '../remove.ts';
import { recordBatch } from '../stored/batch-record.ts';
import { manifestKey, outcomeKey, pendingKey } from '../stored/blob-keys.ts';
import { reconcile, reconcileIndex } from './reconcile.ts';

/** Long enough for anything that is under way to be over. */
const later = 120_000;
const all = { documents: 'all', tailLost: true, index: 'exact' } as const;

async function reconciled(flow: InMemoryFlow) {
  flow.ahead += later;
  const report = await reconcile(flow.deps, all);
  await flow.drain();
  return report;
}

/** What a restart of Redis may lose: its last writes, of the ledger and of the queues. */
function rememberAll(flow: InMemoryFlow): () => void {
  const ledger = flow.ledger.remember();
  return () => {
    ledger();
    while (flow.queue.take()) {}
  };
}

test('what was accepted and lost from the ledger since comes back, whether it had ended or not', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('Before.', { documentId: 'before' });
  await flow.drain();
  const lose = rememberAll(flow);
  const ended = await flow.ingest('Ended.', { documentId: 'ended' });
  await flow.drain();
  const open = await flow.ingest('Open.', { documentId: 'open' });
  lose();
  expect(await flow.ledger.getJob('acme', ended.id)).toBeUndefined();
  expect(await reconciled(flow)).toMatchObject({ drift: { job_missing: 2 } });
  for (const { id } of [ended, open])
    expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'succeeded' });
  expect((await flow.ledger.documentChanges({ tenant: 'acme', namespace: 'default' }, undefined)).rows).toHaveLength(3);
  expect((await reconciled(flow)).drift).toEqual({});
});

test('an end that the ledger has lost is recorded again, and nothing is embedded twice', async () => {
  const flow = createInMemoryFlow();
  const good = await flow.ingest('A text.', { documentId: 'good' });
  const bad = await flow.ingest('', { documentId: 'bad' });
  const lose = rememberAll(flow);
  await flow.drain();
  lose();
  expect(await flow.ledger.getJob('acme', good.id)).toMatchObject({ state: 'queued' });
  expect(await reconciled(flow)).toMatchObject({ drift: { end_unrecorded: 2 } });
  expect(await flow.ledger.getJob('acme', good.id)).toMatchObject({ state: 'succeeded' });
  expect(await flow.ledger.getJob('acme', bad.id)).toMatchObject({ state: 'failed' });
  expect(flow.embedded).toHaveLength(1);
  expect(await flow.ledger.getDocument('acme', 'good')).toMatchObject({ activeVersion: 1 });
});

test('a delete that the ledger has lost is a delete all the same', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('A text.', { documentId: 'gone' });
  await flow.drain();
  const lose = rememberAll(flow);
  await removeDocument(flow.deps, 'acme', 'gone');
  lose();
  expect(await flow.ledger.getDocument('acme', 'gone')).toBeDefined();
  expect(await reconciled(flow)).toMatchObject({ drift: { delete_unfinished: 1 } });
  expect(await flow.ledger.getDocument('acme', 'gone')).toBeUndefined();
  expect((await flow.ingest('Again.', { documentId: 'gone' })).version).toBe(2);
  expect(job.version).toBe(1);
});

test('a document that came again after its delete survives both the loss and the late sweep', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('A text.', { documentId: 'd' });
  await flow.drain();
  await removeDocument(flow.deps, 'acme', 'd');
  const lose = flow.ledger.remember();
  const again = await flow.ingest('Another.', { documentId: 'd' });
  lose();
  // The sweep of the delete runs while the ledger knows nothing of the second one.
  await flow.drain();
  await reconciled(flow);
  expect(await flow.ledger.getJob('acme', again.id)).toMatchObject({ state: 'succeeded' });
  expect(await flow.ledger.getDocument('acme', 'd')).toMatchObject({ activeVersion: 2 });
});

test('a batch that the ledger has lost is known again', async () => {
  const flow = createInMemoryFlow();
  const lose = rememberAll(flow);
  const batchId = newBatchId();
  const good = await flow.ingest('In a batch.', { documentId: 'a', batchId });
  const request = { tenant: 'acme', namespace: 'default', metadata: {}, priority: 'normal', options: {} } as const;
  const error = new MemoryError('invalid_request', 'No.');
  const bad = await acceptRejected(flow.deps, { ...request, source: { type: 'upload' }, batchId }, error);
  await recordBatch(flow.deps, 'acme', batchId, [good, bad]);
  lose();
  expect(await reconciled(flow)).toMatchObject({ drift: { batch_missing: 1 } });
  expect(await flow.ledger.getBatch('acme', batchId)).toEqual([good.id, bad.id]);
  expect(await flow.ledger.getJob('acme', bad.id)).toMatchObject({ state: 'failed' });
});

test('an accept that was answered with an error and recorded all the same is taken out, however late', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('First.', { documentId: 'd' });
  await flow.drain();
  const late: (() => Promise<void>)[] = [];
  const ledger = {
    ...flow.ledger,
    // The command stays in the socket, and is carried out when the server thaws.
    createJob: async (...job: Parameters<typeof flow.ledger.createJob>) => {
      late.push(() => flow.ledger.createJob(...job));
      throw new MemoryError('dependency_unavailable', 'Redis does not answer.');
    },
  };
  const refused = createRefusing(flow, ledger);
  await expect(refused('Second.')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await late[0]?.();
  expect((await flow.ledger.getDocument('acme', 'd'))?.versions).toHaveLength(2);
  expect(await reconciled(flow)).toMatchObject({ drift: { aborted_left: 1 } });
  expect((await flow.ledger.getDocument('acme', 'd'))?.versions).toHaveLength(1);
  expect((await flow.ledger.listJobs('acme', { limit: 10 })).items).toHaveLength(1);
  // Its marker is kept until no command can be late any more.
  const ref = { tenant: 'acme', documentId: 'd', version: 2 };
  const marker = () => [...flow.blobs.blobs.keys()].filter((key) => key.startsWith('pending/'));
  expect([flow.blobs.blobs.has(manifestKey(ref)), flow.blobs.blobs.has(outcomeKey(ref))]).toEqual([true, true]);
  expect(marker()).toHaveLength(1);
  flow.ahead += 11 * 60_000;
  await reconciled(flow);
  expect(marker()).toEqual([]);
});

/** Accepts over a ledger that is not the flow's own. */
function createRefusing(flow: InMemoryFlow, ledger: InMemoryFlow['deps']['ledger']) {
  return async (text: string) => {
    const bytes = (async function* () {
      yield new TextEncoder().encode(text);
    })();
    const original = await storeOriginal(flow.deps, 'acme', bytes, 1e6);
    const request = { tenant: 'acme', namespace: 'default', documentId: 'd', metadata: {}, options: {}, original };
    return accept({ ...flow.deps, ledger }, { ...request, priority: 'normal', source: { type: 'upload' } });
  };
}

test('a job whose marker was lost is found from the ledger', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('A text.');
  await flow.blobs.remove(pendingKey(job.id));
  while (flow.queue.take()) {}
  await reconciled(flow);
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
});

test('a request that is under way is left alone', async () => {
  const flow = createInMemoryFlow();
  const lose = flow.ledger.remember();
  await flow.ingest('A text.');
  lose();
  expect((await reconcile(flow.deps, { documents: 'all' })).drift).toEqual({});
});

test('after a loss nothing is left alone for being young, and a request that is under way still ends as it should', async () => {
  const flow = createInMemoryFlow();
  const lose = rememberAll(flow);
  const ended = await flow.ingest('Ended.', { documentId: 'ended' });
  await flow.drain();
  const open = await flow.ingest('Open.', { documentId: 'open' });
  lose();
  expect(await reconcile(flow.deps, all)).toMatchObject({ drift: { job_missing: 2 } });
  // What the request does next is done already.
  await flow.ledger.createJob(open, { ...open, ...record(open.id) }, { title: 'open', metadata: {} });
  await flow.drain();
  for (const { id } of [ended, open])
    expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'succeeded' });
  expect((await flow.ledger.getDocument('acme', 'open'))?.versions).toHaveLength(1);
});

const record = (jobId: string) => ({
  version: 1,
  state: 'pending' as const,
  jobId,
  sha256: '',
  bytes: 0,
  chunks: 0,
  mediaType: 'text/plain',
});

test('index_drift is what the last reconciliation of all found, and one of a single tenant leaves it alone', async () => {
  const flow = createInMemoryFlow();
  const gauge = new Map<string, number>();
  const deps = {
    ...flow.deps,
    metrics: { ...flow.deps.metrics, indexDrift: (kind: string, count: number) => void gauge.set(kind, count) },
  };
  const lose = rememberAll(flow);
  await flow.ingest('Lost.', { documentId: 'lost' });
  lose();
  flow.ahead += later;
  expect(await reconcile(deps, { ...all, tenant: 'acme' })).toMatchObject({ drift: { job_missing: 1 } });
  expect(gauge.size).toBe(0);
  lose();
  expect(await reconcile(deps, all)).toMatchObject({ drift: { job_missing: 1 } });
  expect(gauge.get('job_missing')).toBe(1);
  await flow.drain();
  flow.ahead += later;
  await reconcile(deps, all);
  expect([...gauge.values()].filter((count) => count > 0)).toEqual([]);
});

test('a look at the documents takes back nothing that a look at the index found, nor the other way round', async () => {
  const flow = createInMemoryFlow();
  const gauge = new Map<string, number>();
  const deps = {
    ...flow.deps,
    metrics: { ...flow.deps.metrics, indexDrift: (kind: string, count: number) => void gauge.set(kind, count) },
  };
  await flow.ingest('Kept.', { documentId: 'kept' });
  await flow.drain();
  const lose = rememberAll(flow);
  await flow.ingest('Lost.', { documentId: 'lost' });
  lose();
  flow.vectors.wipe();
  flow.ahead += later;
  expect(await reconcileIndex(deps, 'counted')).toMatchObject({ drift: { missing_chunks: 1 } });
  expect(await reconcile(deps, { documents: 'all' })).toMatchObject({ drift: { job_missing: 1 } });
  expect([gauge.get('missing_chunks'), gauge.get('job_missing')]).toEqual([1, 1]);
  await flow.drain();
  await reconcileIndex(deps, 'counted');
  expect([gauge.get('missing_chunks'), gauge.get('job_missing')]).toEqual([0, 1]);
});
