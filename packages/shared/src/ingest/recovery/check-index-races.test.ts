import { beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { CollectionKey } from '../../ports/vector-index.ts';
import { createFakeEmbedder } from '../../testing/fake-embedder.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { removeDocument } from '../remove.ts';
import { chunksKey, replacedPrefix } from '../stored/blob-keys.ts';
import { reconcile, reconcileIndex } from './reconcile.ts';

/*
 * What others do while the index is compared, and what cannot be read then.
 */

const scope = { tenant: 'acme', namespace: 'default' };
const ref = (documentId: string, version = 1) => ({ tenant: 'acme', documentId, version });
const garbage = new TextEncoder().encode('{"half":');

let flow: InMemoryFlow;
let key: CollectionKey;
beforeEach(async () => {
  flow = createInMemoryFlow({ otherModels: [createFakeEmbedder('next-model')] });
  key = { ...scope, model: flow.deps.embeddingModel };
  for (const name of ['one', 'two', 'three']) {
    await flow.ingest(`The text of ${name}.`, { documentId: name });
    await flow.drain();
  }
});

const isMarked = async () => (await flow.ledger.documentChanges(scope, undefined)).indexIncomplete;

test('a number of chunks that the ledger has wrong is put right from what is stored', async () => {
  await flow.ledger.describeVersion(scope, 'one', 1, { chunks: 2 });
  await reconcileIndex(flow.deps, 'counted');
  const { rows } = await flow.ledger.documentChanges(scope, undefined);
  expect(rows.map(({ chunks }) => chunks)).toEqual([1, 1, 1]);
  expect(await isMarked()).toBe(false);
});

test('an index that goes away while it is filled is said to be away, and the namespace stays marked', async () => {
  await flow.vectors.removeDocument(key, 'one');
  onNext(flow.vectors, 'addMissing', () => Promise.reject(new MemoryError('dependency_unavailable', 'Away.')));
  await expect(reconcileIndex(flow.deps, 'counted')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(await isMarked()).toBe(true);
  expect(await reconcileIndex(flow.deps, 'counted')).toMatchObject({ drift: { missing_chunks: 1 } });
  expect(await isMarked()).toBe(false);
});

test('a document that is deleted while its chunks are looked for is not said to lack any', async () => {
  await flow.vectors.removeDocument(key, 'one');
  onNext(
    flow.blobs,
    'get',
    async (call) => {
      await removeDocument(flow.deps, 'acme', 'one');
      return call();
    },
    (blob) => blob === chunksKey(ref('one')),
  );
  expect((await reconcileIndex(flow.deps, 'counted')).drift).toEqual({});
  expect(await isMarked()).toBe(false);
});

test('a version that is committed after the ledger was read keeps its records', async () => {
  onNext(flow.vectors, 'versions', async (call) => {
    await flow.ingest('Another text of one.', { documentId: 'one' });
    await flow.drain();
    return call();
  });
  expect((await reconcileIndex(flow.deps, 'exact')).drift).toEqual({});
  expect([...(await flow.vectors.versions(key)).keys()].toSorted()).toEqual(['one@2', 'three@1', 'two@1']);
});

test('a namespace that gets another model meanwhile is not said to be whole by what its former one holds', async () => {
  await flow.vectors.removeDocument(key, 'one');
  onNext(flow.ledger, 'markIndex', async (call) => {
    await call();
    await flow.ledger.switchModel(scope, 'next-model');
  });
  await reconcileIndex(flow.deps, 'counted');
  expect(await isMarked()).toBe(true);
});

test('a namespace of which no model is known has nothing that could be compared', async () => {
  await flow.vectors.removeDocument(key, 'one');
  onNext(flow.ledger, 'documentChanges', async (call) => ({ ...(await call()), embeddingModel: undefined }));
  expect((await reconcileIndex(flow.deps, 'exact')).drift).toEqual({});
  expect(await flow.vectors.count(key)).toBe(2);
});

test('chunks of a former version that cannot be read are said to be damaged, and the others come back', async () => {
  for (const name of ['one', 'two', 'three']) {
    flow.ahead += 1000;
    await flow.ingest(`Another text of ${name}.`, { documentId: name });
    await flow.drain();
  }
  const history = { ...key, history: true as const };
  expect(await flow.vectors.count(history)).toBe(3);
  await flow.vectors.removeCollection(history);
  await flow.blobs.put(chunksKey(ref('one')), garbage);
  await flow.blobs.remove(chunksKey(ref('two')));
  expect(await reconcileIndex(flow.deps, 'exact')).toMatchObject({ drift: { damaged: 1, history_missing: 1 } });
  expect([...(await flow.vectors.versions(history)).keys()]).toEqual(['three@1']);
});

test('a store that is away while former versions are read is no damage', async () => {
  await flow.ingest('Another text of one.', { documentId: 'one' });
  await flow.drain();
  onNext(
    flow.blobs,
    'get',
    () => Promise.reject(new MemoryError('dependency_unavailable', 'Away.')),
    (blob) => blob === chunksKey(ref('one')),
  );
  await expect(reconcileIndex(flow.deps, 'exact')).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test("one tenant's comparison leaves the history of others alone, and passes over markers that go meanwhile", async () => {
  const other = { ...key, tenant: 'umbrella', history: true as const };
  const own = { ...key, history: true as const };
  await flow.ingest('The text of one.', { documentId: 'one', tenant: 'umbrella' });
  await flow.drain();
  for (const tenant of ['acme', 'umbrella']) {
    flow.ahead += 1000;
    await flow.ingest('Another text of one.', { documentId: 'one', tenant });
    await flow.drain();
  }
  const markerOfOther = [...flow.blobs.blobs.keys()].findLast((blob) => blob.startsWith(replacedPrefix));
  for (const collection of [own, other]) await flow.vectors.removeCollection(collection);
  onNext(
    flow.blobs,
    'get',
    async () => undefined,
    (blob) => blob === markerOfOther,
  );
  expect((await reconcile(flow.deps, { index: 'exact', tenant: 'umbrella' })).drift).toEqual({});
  expect(await reconcile(flow.deps, { index: 'exact', tenant: 'acme' })).toMatchObject({
    drift: { history_missing: 1 },
  });
  expect([await flow.vectors.count(own), await flow.vectors.count(other)]).toEqual([1, 0]);
});
