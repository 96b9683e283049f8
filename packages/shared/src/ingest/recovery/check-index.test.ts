import { expect, test } from '@jest/globals';
import type { CollectionKey } from '../../ports/vector-index.ts';
import { createDocumentTable } from '../../search/document-table.ts';
import { search } from '../../search/search.ts';
import { stats } from '../../search/stats.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { cancelJob } from '../jobs/cancel.ts';
import { removeDocument } from '../remove.ts';
import { runStep } from '../run-step.ts';
import { chunksKey, vectorsKey } from '../stored/blob-keys.ts';
import { type ReconcileScope, reconcile } from './reconcile.ts';

const keyOf = (flow: InMemoryFlow): CollectionKey => ({
  tenant: 'acme',
  namespace: 'default',
  model: flow.deps.embeddingModel,
});

async function createLibrary(): Promise<InMemoryFlow> {
  const flow = createInMemoryFlow();
  for (const name of ['one', 'two', 'three']) {
    await flow.ingest(`The text of ${name}.`, { documentId: name });
    await flow.drain();
  }
  return flow;
}

const check = (flow: InMemoryFlow, index: NonNullable<ReconcileScope['index']> = 'counted') =>
  reconcile(flow.deps, { index });

const searchIn = (flow: InMemoryFlow, onIndexLacking = () => {}) =>
  search(
    {
      ...flow.deps,
      table: createDocumentTable({ ledger: flow.ledger }),
      embedderFor: flow.deps.embedderFor,
      versionRetentionMs: 1e9,
      onIndexLacking,
    },
    'acme',
    { query: 'text', namespace: 'default', topK: 10, mode: 'dense', highlight: false },
  );

test('an index that was wiped is filled again from the artifacts, with no text embedded anew', async () => {
  const flow = await createLibrary();
  const before = await searchIn(flow);
  flow.vectors.wipe();
  const embedded = flow.embedded.length;
  expect(await check(flow)).toMatchObject({ drift: { missing_chunks: 3 }, repaired: 3 });
  expect((await searchIn(flow)).hits).toEqual(before.hits);
  expect(flow.embedded).toHaveLength(embedded);
  expect(await check(flow)).toEqual({ checked: expect.any(Number), drift: {}, repaired: 0 });
});

test('until it is whole again a search says that the index lacks something, and tells whoever brings it back', async () => {
  const flow = await createLibrary();
  expect((await searchIn(flow)).degraded).toBeUndefined();
  await flow.vectors.removeDocument(keyOf(flow), 'two');
  let told = 0;
  const answer = await searchIn(flow, () => {
    told += 1;
  });
  // Where words lead to what is missing, it comes from the blob store.
  expect([answer.hits.length, answer.degraded, told]).toEqual([3, ['index_rebuilding'], 1]);
  await check(flow);
  expect(await searchIn(flow)).toMatchObject({ hits: { length: 3 } });
  expect((await searchIn(flow)).degraded).toBeUndefined();
});

test('what cannot be brought back is said to be missing, by every search and by the counts', async () => {
  const flow = await createLibrary();
  const ref = { tenant: 'acme', documentId: 'two', version: 1 };
  flow.vectors.wipe();
  await flow.blobs.remove(vectorsKey(ref, 0));
  expect(await check(flow)).toMatchObject({ drift: { missing_chunks: 2, vectors_missing: 1 }, repaired: 2 });
  expect((await searchIn(flow)).degraded).toEqual(['index_rebuilding']);
  expect(await stats(flow.deps, 'acme')).toMatchObject({ chunks: 3, vectors: 2, consistent: false });
  await flow.blobs.remove(chunksKey(ref));
  expect(await check(flow)).toMatchObject({ drift: { vectors_missing: 1 }, repaired: 0 });
});

test('records of versions that no search may find are removed, those of a step at work are not', async () => {
  const flow = await createLibrary();
  // A writer that was frozen, and wakes after all was over.
  const records = [
    { chunkId: 'late', vector: new Float32Array(8).fill(1), text: 'late', index: 0, headings: [], start: 0, end: 4 },
  ];
  await flow.vectors.addMissing(
    keyOf(flow),
    ['gone', 'two'].map((documentId) => ({ ...records[0], chunkId: documentId, documentId, version: 9 }) as never),
  );
  const cancelled = await flow.ingest('Not wanted.', { documentId: 'cancelled' });
  await cancelJob(flow.deps, 'acme', cancelled.id);
  await flow.vectors.addMissing(keyOf(flow), [
    { ...records[0], chunkId: 'of-cancelled', documentId: 'cancelled', version: 1 } as never,
  ]);
  const open = await flow.ingest('On its way.', { documentId: 'open' });
  await flow.vectors.addMissing(keyOf(flow), [
    { ...records[0], chunkId: 'open', documentId: 'open', version: 1 } as never,
  ]);
  expect(await check(flow, 'exact')).toMatchObject({ drift: { orphan_chunks: 3 }, repaired: 3 });
  expect([...(await flow.vectors.versions(keyOf(flow))).keys()].sort()).toEqual([
    'one@1',
    'open@1',
    'three@1',
    'two@1',
  ]);
  expect(open.state).toBe('queued');
});

test('a version that was replaced and whose move to history was cut off is moved', async () => {
  const flow = await createLibrary();
  const old = await flow.vectors.versions(keyOf(flow));
  expect(old.has('one@1')).toBe(true);
  await flow.ingest('Another text of one.', { documentId: 'one' });
  while (flow.queue.waiting[0]?.name !== 'index') await flow.runNext();
  const step = flow.queue.take();
  if (step?.name !== 'index') throw new Error('the document is not up for the index');
  // The process dies right after the flip.
  const activateVersion: typeof flow.ledger.activateVersion = async (...version) => {
    await flow.ledger.activateVersion(...version);
    throw new Error('the process died');
  };
  const delivery = { attempt: 1, lastAttempt: false, stalls: 0, signal: new AbortController().signal };
  const deps = { ...flow.deps, ledger: { ...flow.ledger, activateVersion } };
  await expect(runStep(deps, 'index', step.payload, delivery)).rejects.toThrow();
  expect([...(await flow.vectors.versions(keyOf(flow))).keys()]).toContain('one@1');
  await check(flow, 'exact');
  expect([...(await flow.vectors.versions(keyOf(flow))).keys()]).not.toContain('one@1');
  expect([...(await flow.vectors.versions({ ...keyOf(flow), history: true })).keys()]).toEqual(['one@1']);
});

test('history that was wiped is filled again as well', async () => {
  const flow = await createLibrary();
  await flow.ingest('Another text of one.', { documentId: 'one' });
  await flow.drain();
  const history: CollectionKey = { ...keyOf(flow), history: true };
  expect(await flow.vectors.count(history)).toBe(1);
  flow.vectors.wipe();
  expect(await check(flow)).toMatchObject({ drift: { missing_chunks: 3, history_missing: 1 } });
  expect(await flow.vectors.count(history)).toBe(1);
});

test('while the index is away nothing is taken for lost', async () => {
  const flow = await createLibrary();
  flow.vectors.unavailable = true;
  await expect(check(flow)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  flow.vectors.unavailable = false;
  expect((await check(flow, 'exact')).drift).toEqual({});
});

test('a comparison keeps to its tenant', async () => {
  const flow = await createLibrary();
  await flow.ingest('Of another tenant.', { tenant: 'other', documentId: 'x' });
  await flow.drain();
  flow.vectors.wipe();
  expect(await reconcile(flow.deps, { tenant: 'other', index: 'exact' })).toMatchObject({
    drift: { missing_chunks: 1 },
  });
  expect(await flow.vectors.count(keyOf(flow))).toBe(0);
});

test.each(['deleted', 'replaced'])(
  'a document that is %s while its chunks are brought back leaves none of them',
  async (how) => {
    const flow = await createLibrary();
    flow.vectors.wipe();
    let isDone = false;
    const addMissing: typeof flow.vectors.addMissing = async (key, records) => {
      await flow.vectors.addMissing(key, records);
      const ofTwo = records.filter(({ documentId }) => documentId === 'two');
      if (isDone || ofTwo.length === 0) return;
      isDone = true;
      if (how === 'deleted') await removeDocument(flow.deps, 'acme', 'two');
      else await flow.ingest('Another text of two.', { documentId: 'two' });
      await flow.drain();
      // The write arrives after whoever removes has looked.
      await flow.vectors.addMissing(key, ofTwo);
    };
    const deps = { ...flow.deps, vectors: { ...flow.vectors, addMissing } };
    expect(await reconcile(deps, { index: 'counted' })).toMatchObject({ drift: { missing_chunks: 2 } });
    const left = [...(await flow.vectors.versions(keyOf(flow))).keys()].sort();
    expect(left).toEqual(how === 'deleted' ? ['one@1', 'three@1'] : ['one@1', 'three@1', 'two@2']);
    expect((await searchIn(flow)).degraded).toBeUndefined();
  },
);

test('chunks that cannot be read are said to be missing, and the others are brought back', async () => {
  const flow = await createLibrary();
  flow.vectors.wipe();
  await flow.blobs.put(chunksKey({ tenant: 'acme', documentId: 'two', version: 1 }), new TextEncoder().encode('{"'));
  expect(await check(flow)).toMatchObject({ drift: { missing_chunks: 2, vectors_missing: 1 }, repaired: 2 });
  expect((await searchIn(flow)).degraded).toEqual(['index_rebuilding']);
});

test('more records than chunks are looked into once nothing is on its way', async () => {
  const flow = await createLibrary();
  const late = { chunkId: 'late', vector: new Float32Array(8).fill(1), text: 'late', index: 0, headings: [] };
  await flow.vectors.addMissing(keyOf(flow), [{ ...late, start: 0, end: 4, documentId: 'gone', version: 9 } as never]);
  await flow.ingest('On its way.', { documentId: 'open' });
  expect((await check(flow)).drift).toEqual({});
  await flow.drain();
  expect(await check(flow)).toMatchObject({ drift: { orphan_chunks: 1 }, repaired: 1 });
});
