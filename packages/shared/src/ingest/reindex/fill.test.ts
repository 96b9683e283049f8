import { beforeEach, expect, test } from '@jest/globals';
import type { JobRecord } from '../../ports/ledger.ts';
import type { VectorRecord } from '../../ports/vector-index.ts';
import type { FakeEmbedder } from '../../testing/fake-embedder.ts';
import type { InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { createReportsFlow, type ReportsFlow } from '../../testing/reports-flow.ts';
import { removeDocument } from '../remove.ts';
import { chunksKey, manifestKey } from '../stored/blob-keys.ts';
import { expireVersions } from '../versions/expire.ts';
import { acceptReindex, type ReindexRequest } from './accept-reindex.ts';

/*
 * A namespace that is given another model, step by step: what others do meanwhile, and what is lost.
 */

const scope = { tenant: 'acme', namespace: 'default' };
const next = 'next-model';

let flow: InMemoryFlow;
let embedder: FakeEmbedder;
let ingested: ReportsFlow['ingested'];
let former: string;
beforeEach(async () => {
  ({ flow, embedder, ingested } = await createReportsFlow(next, 'third'));
  former = flow.deps.embeddingModel;
});

const reindex = (request: Partial<ReindexRequest> = {}) =>
  acceptReindex(flow.deps, scope, { model: next, force: false, judged: [], ...request });
const jobOf = (id: string) => flow.ledger.getJob('acme', id);
const modelNow = () => flow.ledger.embeddingModelOf(scope);
const versionsIn = async (model: string, history?: true) =>
  [...(await flow.vectors.versions({ ...scope, model, ...(history ? { history } : {}) })).keys()].toSorted();
const ref = (documentId: string, version = 1) => ({ tenant: 'acme', documentId, version });
const refOf = ({ documentId, version }: JobRecord) => ref(documentId, version);

test('what lies in the collection of no document, and what is deleted while the models are compared, goes', async () => {
  const ghost: VectorRecord = {
    ...{ chunkId: '0123456789abcdef0123456789abcdef', vector: new Float32Array(64).fill(0.125), text: 'A ghost.' },
    ...{ documentId: 'ghost', version: 1, index: 0, page: undefined, headings: [], start: 0, end: 8 },
  };
  await flow.vectors.addMissing({ ...scope, model: next }, [ghost]);
  const { id } = await reindex();
  await flow.runNext();
  expect(await versionsIn(next)).not.toContain('ghost@1');
  expect(await versionsIn(next)).toContain('report-3@1');
  onNext(embedder, 'embedQuery', async (call) => {
    await removeDocument(flow.deps, 'acme', 'report-3');
    return call();
  });
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({ state: 'succeeded' });
  expect(await versionsIn(next)).toEqual(await versionsIn(former));
  expect(await versionsIn(next)).toHaveLength(9);
});

test('a history that was lost after it was filled is filled again, and what is active is left as it is', async () => {
  await ingested('Another report of the harbour.', 'report-0');
  await ingested('A third report of the harbour.', 'report-0');
  await reindex();
  await flow.runNext();
  const embedded = embedder.embedded.length;
  await flow.vectors.removeDocument({ ...scope, model: next, history: true }, 'report-0', 1);
  await flow.drain();
  expect(await modelNow()).toBe(next);
  expect(await versionsIn(next, true)).toEqual(['report-0@1', 'report-0@2']);
  expect(embedder.embedded.length).toBe(embedded);
});

test('a former version that expires while history is filled is not kept there', async () => {
  await ingested('Another report of the harbour.', 'report-0');
  await ingested('A third report of the harbour.', 'report-0');
  await reindex();
  onNext(
    flow.blobs,
    'get',
    async (call) => {
      flow.ahead += 1000;
      await expireVersions(flow.deps, 0);
      return call();
    },
    (key) => key === chunksKey(ref('report-0', 2)),
  );
  await flow.drain();
  expect(await modelNow()).toBe(next);
  expect(await versionsIn(next, true)).toEqual([]);
  expect(await versionsIn(next)).toContain('report-0@3');
});

test('a document that is deleted while its history is filled leaves none', async () => {
  await ingested('Another report of the harbour.', 'report-0');
  await reindex();
  onNext(
    flow.deps.indexWriter,
    'write',
    async (call) => {
      await removeDocument(flow.deps, 'acme', 'report-0');
      return call();
    },
    (key) => key.model === next && key.history === true,
  );
  await flow.drain();
  expect(await modelNow()).toBe(next);
  expect(await versionsIn(next, true)).toEqual([]);
  expect(await versionsIn(next)).not.toContain('report-0@2');
});

test('a document that is deleted before its chunks are read is passed over', async () => {
  const { id } = await reindex();
  onNext(
    flow.blobs,
    'get',
    async (call) => {
      await removeDocument(flow.deps, 'acme', 'report-5');
      return call();
    },
    (key) => key === chunksKey(ref('report-5')),
  );
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({ state: 'succeeded' });
  expect(await versionsIn(next)).toHaveLength(9);
});

test('an active version whose chunks are gone keeps the namespace at its model', async () => {
  await flow.blobs.remove(chunksKey(ref('report-5')));
  const { id } = await reindex();
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({
    state: 'failed',
    error: { code: 'internal', message: 'The chunks of version 1 of report-5 are not in the blob store.' },
  });
  expect(await modelNow()).toBe(former);
});

test.each([
  [25_000, true],
  [6 * 60_000, false],
])('a fill that has lasted makes way: after %d ms a document, where others wait: %s', async (tookMs, othersWait) => {
  const { id } = await reindex();
  const { embedPassages } = embedder;
  embedder.embedPassages = async (...args) => {
    flow.ahead += tookMs;
    return embedPassages(...args);
  };
  flow.faults.othersWait = othersWait;
  await expect(flow.runNext()).rejects.toMatchObject({ retry: { kind: 'yield' } });
  expect((await versionsIn(next)).length).toBeLessThan(10);
  flow.faults.othersWait = false;
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({ state: 'succeeded' });
  expect(new Set(embedder.embedded).size).toBe(embedder.embedded.length);
});

test('a fill that wakes after the namespace was switched leaves everything as it is', async () => {
  const { id } = await reindex();
  const [step] = flow.queue.waiting;
  const before = await jobOf(id);
  if (!step || !before) throw new Error('nothing is queued');
  let embedded = 0;
  onNext(
    flow.blobs,
    'get',
    async (call) => {
      await flow.queue.add([step]);
      await flow.drain();
      embedded = embedder.embedded.length;
      return call();
    },
    (key) => key === manifestKey(refOf(before)),
  );
  await flow.runNext();
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({ state: 'succeeded' });
  expect(await modelNow()).toBe(next);
  expect(embedder.embedded).toHaveLength(embedded);
});
