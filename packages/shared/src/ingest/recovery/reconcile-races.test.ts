import { beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createFakeEmbedder } from '../../testing/fake-embedder.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { newBatchId, newJobId } from '../new-id.ts';
import { recordSwitch } from '../reindex/namespace-models.ts';
import { removeDocument } from '../remove.ts';
import { recordBatch } from '../stored/batch-record.ts';
import { chunksKey, deletingKey, documentPrefix, manifestKey, pendingKey, pendingPrefix } from '../stored/blob-keys.ts';
import { markPending } from '../stored/pending.ts';
import { compareDocument } from './compare-document.ts';
import { createFindings } from './findings.ts';
import { rebuildLedger } from './rebuild-ledger.ts';
import { reconcile } from './reconcile.ts';

/*
 * What others do while the stores are compared, what comes late, and a store that goes away in the middle.
 */

const scope = { tenant: 'acme', namespace: 'default' };
const ref = (documentId: string) => ({ tenant: 'acme', documentId, version: 1 });
const later = 120_000;
const all = { documents: 'all' } as const;
const nextModel = 'next-model';
const garbage = new TextEncoder().encode('{"half":');

let flow: InMemoryFlow;
beforeEach(() => {
  flow = createInMemoryFlow({ otherModels: [createFakeEmbedder(nextModel)] });
});

async function ingested(documentId: string) {
  const job = await flow.ingest(`The text of ${documentId}.`, { documentId });
  await flow.drain();
  return job;
}

/** One of each kind of record that a walk of the store meets. */
async function fillStore(): Promise<void> {
  const job = await ingested('kept');
  await ingested('gone');
  await removeDocument(flow.deps, 'acme', 'gone');
  while (flow.queue.take()) {}
  await recordBatch(flow.deps, 'acme', newBatchId(), [job]);
  const at = new Date(flow.deps.clock.now()).toISOString();
  await recordSwitch(flow.blobs, { ...scope, number: 1, model: nextModel, jobId: newJobId(), at });
  await flow.ledger.switchModel(scope, nextModel);
}

const places = ['/manifest.json', '/tombstones/', '/batches/', '/switches/'];

test.each(places)('a record of %s that goes while the store is walked is passed over', async (place) => {
  await fillStore();
  const ofPlace = (key: string) => key.startsWith('tenants/') && key.includes(place);
  expect([...flow.blobs.blobs.keys()].filter(ofPlace)).toHaveLength(1);
  onNext(flow.blobs, 'get', async () => undefined, ofPlace);
  expect((await reconcile(flow.deps, all)).drift).toEqual({});
  flow.ledger.wipe();
  onNext(flow.blobs, 'get', async () => undefined, ofPlace);
  await flow.ledger.rebuildOnce(async (ledger, signal) => {
    expect(await rebuildLedger({ ...flow.deps, ledger }, signal)).toMatchObject({ damaged: 0 });
  });
  expect(await flow.ledger.isWhole()).toBe(true);
});

test.each([...places, pendingPrefix])('a store that goes away at a record of %s is no damage to it', async (place) => {
  await fillStore();
  await flow.ingest('On its way.', { documentId: 'open' });
  const away = new MemoryError('dependency_unavailable', 'The blob store does not answer.');
  onNext(
    flow.blobs,
    'get',
    () => Promise.reject(away),
    (key) => key.includes(place),
  );
  await expect(reconcile(flow.deps, all)).rejects.toBe(away);
  flow.ledger.wipe();
  onNext(
    flow.blobs,
    'get',
    () => Promise.reject(away),
    (key) => key.startsWith('tenants/') && key.includes(place === pendingPrefix ? '/manifest.json' : place),
  );
  const rebuild = flow.ledger.rebuildOnce(async (ledger, signal) => {
    await rebuildLedger({ ...flow.deps, ledger }, signal);
  });
  await expect(rebuild).rejects.toBe(away);
  expect(await flow.ledger.isWhole()).toBe(false);
});

test('postings that cannot be compared are said to be damaged; where the store is away that is said', async () => {
  await ingested('one');
  flow.lexical.deactivate(scope, 'one');
  const away = new MemoryError('dependency_unavailable', 'The blob store does not answer.');
  onNext(
    flow.blobs,
    'get',
    () => Promise.reject(away),
    (key) => key === chunksKey(ref('one')),
  );
  await expect(reconcile(flow.deps)).rejects.toBe(away);
  await flow.blobs.put(chunksKey(ref('one')), garbage);
  expect(await reconcile(flow.deps)).toMatchObject({ drift: { damaged: 1 }, repaired: 0 });
});

test('a document that nobody knows is as it should be', async () => {
  const findings = createFindings();
  await compareDocument(flow.deps, findings, 'acme', 'nobody');
  expect(findings.drift).toEqual({});
  expect(flow.queue.waiting).toEqual([]);
});

test('what a writer that was frozen has written after a delete is removed, once the delete is over', async () => {
  await ingested('one');
  const manifest = await flow.blobs.get(manifestKey(ref('one')));
  await removeDocument(flow.deps, 'acme', 'one');
  await flow.blobs.put(manifestKey(ref('one')), manifest ?? garbage);
  const key = { ...scope, model: flow.deps.embeddingModel };
  const record = {
    chunkId: '0123456789abcdef0123456789abcdef',
    vector: new Float32Array(64).fill(0.125),
    text: 'Late.',
  };
  await flow.vectors.addMissing(key, [
    { ...record, documentId: 'one', version: 1, index: 0, page: undefined, headings: [], start: 0, end: 5 },
  ]);
  // Young, or not verified yet: whoever deletes is still at it.
  expect((await reconcile(flow.deps, all)).drift).toEqual({});
  flow.ahead += later;
  await flow.blobs.put(deletingKey('acme', 'one'), garbage);
  expect((await reconcile(flow.deps, all)).drift).toEqual({});
  await flow.blobs.remove(deletingKey('acme', 'one'));
  expect(await reconcile(flow.deps, all)).toMatchObject({ drift: { written_after_delete: 1 } });
  expect(flow.blobs.blobs.has(manifestKey(ref('one')))).toBe(false);
  expect(await flow.vectors.count(key)).toBe(0);
  expect((await reconcile(flow.deps, all)).drift).toEqual({});
});

test('where a queue may have lost its last jobs, what is open is handed out at once', async () => {
  const { id } = await flow.ingest('A text.');
  flow.queue.take();
  await reconcile(flow.deps);
  expect(flow.queue.waiting).toEqual([]);
  await reconcile(flow.deps, { tailLost: true });
  expect(flow.queue.waiting).toMatchObject([{ name: 'parse', payload: { jobId: id } }]);
});

test('a job that gets its marker while the stores are compared is left to its own', async () => {
  const { id } = await flow.ingest('A text.');
  await flow.blobs.remove(pendingKey(id));
  flow.queue.take();
  flow.ahead += later;
  onNext(flow.ledger, 'openJobs', async (call) => {
    const open = await call();
    await markPending(flow.blobs, { ...ref('notes'), jobId: id });
    return open;
  });
  expect((await reconcile(flow.deps)).drift).toEqual({});
  expect(flow.queue.waiting).toEqual([]);
});

test('a part of all tenants is walked where none is named', async () => {
  const lose = flow.ledger.remember();
  const { id } = await ingested('one');
  lose();
  await flow.ledger.switchModel(scope, flow.deps.embeddingModel);
  const part = Number.parseInt(/documents\/(\w\w)\//.exec(documentPrefix('acme', 'one'))?.[1] ?? '', 16);
  expect((await reconcile(flow.deps, { documents: { part: part + 1 } })).drift).toEqual({});
  expect(await reconcile(flow.deps, { documents: { part } })).toMatchObject({ drift: { job_missing: 1 } });
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'succeeded' });
});

test('a switch that the ledger has lost is made again, but for one whose job is still at it', async () => {
  await ingested('one');
  const open = await flow.ingest('On its way.', { documentId: 'open' });
  const at = new Date(flow.deps.clock.now()).toISOString();
  await recordSwitch(flow.blobs, { ...scope, number: 1, model: nextModel, jobId: open.id, at });
  expect((await reconcile(flow.deps, all)).drift).toEqual({});
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(flow.deps.embeddingModel);
  await flow.drain();
  expect(await reconcile(flow.deps, all)).toMatchObject({ drift: { model_differs: 1 } });
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(nextModel);
});
