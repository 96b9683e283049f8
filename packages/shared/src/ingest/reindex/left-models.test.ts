import { beforeEach, expect, test } from '@jest/globals';
import { createDocumentTable, type DocumentTable } from '../../search/document-table.ts';
import { search } from '../../search/search.ts';
import { stats } from '../../search/stats.ts';
import { createFakeEmbedder, createNoiseEmbedder, type FakeEmbedder } from '../../testing/fake-embedder.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { reconcile } from '../recovery/reconcile.ts';
import { leftModelsPrefix } from '../stored/blob-keys.ts';
import { acceptReindex } from './accept-reindex.ts';
import { removeLeftModels } from './left-models.ts';

const scope = { tenant: 'acme', namespace: 'default' };
const next = 'next-model';
const dayMs = 24 * 3_600_000;
const topics = ['harbour', 'lighthouse', 'trawler', 'estuary', 'buoy'];
/** More chunks than one batch of vectors. */
const longText = Array.from({ length: 40 }, (_, at) => `# Part ${at}\n\n${`Whatever part ${at} holds. `.repeat(20)}`);

let flow: InMemoryFlow;
let table: DocumentTable;
let other: FakeEmbedder;
let former: string;

beforeEach(async () => {
  other = createFakeEmbedder(next);
  flow = createInMemoryFlow({ otherModels: [other, createNoiseEmbedder('noise')], lateInteraction: true });
  table = createDocumentTable({ ledger: flow.ledger });
  former = flow.deps.embeddingModel;
  for (const [at, topic] of topics.entries())
    await flow.ingest(`The ${topic} of report ${at}.`, { documentId: `report-${at}` });
  await flow.ingest(longText.join('\n\n'), { documentId: 'long' });
  await flow.ingest('The second harbour, of the second version.', { documentId: 'report-0' });
  await flow.drain();
});

async function reindex(model: string, force = false): Promise<void> {
  await acceptReindex(flow.deps, scope, { model, force, judged: [] });
  await flow.drain();
}

const chunksOf = (model: string, history?: true) =>
  flow.vectors.count({ ...scope, model, ...(history ? { history } : {}) });

const find = (query: string) =>
  search({ ...flow.deps, table, versionRetentionMs: flow.versionRetentionMs }, 'acme', {
    ...{ query, namespace: 'default', topK: 5, mode: 'dense', highlight: false },
  });

/** Keys in the blob store of vectors of some kind, by a part of their names. */
async function keysWith(part: RegExp, prefix = 'tenants/'): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of flow.blobs.list(prefix)) if (part.test(key)) keys.push(key);
  return keys;
}

const ownVectors = /\/v\d+\/(?:vectors|tokens)[^/]*$/;
const otherVectors = /\/v\d+\/model-/;

test('while they may be gone back to, the vectors of a model that was left stay', async () => {
  await reindex(next);
  flow.ahead += 29 * dayMs;
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(0);
  const embedded = flow.embedded.length;
  await reindex(former, true);
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(former);
  expect(flow.embedded.length).toBe(embedded);
});

test('with a retention of nothing they stay for a day', async () => {
  await reindex(next);
  flow.ahead += dayMs - 60_000;
  expect(await removeLeftModels(flow.deps, 0)).toBe(0);
  flow.ahead += 60_001;
  expect(await removeLeftModels(flow.deps, 0)).toBe(1);
});

test('after that both collections and all vectors in the blob store are gone, and nothing of the present model', async () => {
  await reindex(next);
  const before = await chunksOf(next);
  const kept = await keysWith(otherVectors);
  expect((await keysWith(ownVectors)).length).toBeGreaterThan(7);
  flow.ahead += 31 * dayMs;
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(1);
  expect([await chunksOf(former), await chunksOf(former, true)]).toEqual([0, 0]);
  expect(await chunksOf(next)).toBe(before);
  expect(await keysWith(ownVectors)).toEqual([]);
  expect(await keysWith(otherVectors)).toEqual(kept);
  expect(await keysWith(new RegExp(leftModelsPrefix))).toEqual([]);
  expect((await find('The lighthouse of report 1.')).hits[0]).toMatchObject({ documentId: 'report-1' });
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(0);
});

test('afterwards a lost index still comes back without an embedding call, history included', async () => {
  await reindex(next);
  flow.ahead += 29 * dayMs;
  const [chunks, history] = [await chunksOf(next), await chunksOf(next, true)];
  expect(history).toBe(1);
  await removeLeftModels(flow.deps, dayMs);
  const embedded = [flow.embedded.length, other.embedded.length];
  flow.vectors.wipe();
  await reconcile(flow.deps, { documents: 'all', index: 'exact' });
  expect([await chunksOf(next), await chunksOf(next, true)]).toEqual([chunks, history]);
  expect([flow.embedded.length, other.embedded.length]).toEqual(embedded);
  expect(await stats(flow.deps, 'acme')).toMatchObject({ documents: 6, consistent: true });
});

test('afterwards the way back embeds anew, and all is found', async () => {
  await reindex(next);
  flow.ahead += 31 * dayMs;
  await removeLeftModels(flow.deps, flow.versionRetentionMs);
  const chunks = await chunksOf(next);
  const embedded = flow.embedded.length;
  await reindex(former, true);
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(former);
  expect(flow.embedded.length - embedded).toBeGreaterThanOrEqual(chunks);
  expect(await chunksOf(former)).toBe(chunks);
  expect((await find('The trawler of report 2.')).hits[0]).toMatchObject({ documentId: 'report-2' });
  // What has become the present model again is not removed by what was said of it before.
  flow.ahead += dayMs;
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(0);
  expect(await chunksOf(former)).toBe(chunks);
  flow.ahead += 31 * dayMs;
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(1);
  expect([await chunksOf(former), await chunksOf(next)]).toEqual([chunks, 0]);
  expect(await keysWith(otherVectors)).toEqual([]);
});

test('a model that was left again since is kept from then on', async () => {
  await reindex(next);
  flow.ahead += 20 * dayMs;
  await reindex(former, true);
  flow.ahead += 5 * dayMs;
  await reindex(next);
  flow.ahead += 20 * dayMs;
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(0);
  expect(await chunksOf(former)).toBe(await chunksOf(next));
  flow.ahead += 11 * dayMs;
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(1);
  expect(await chunksOf(former)).toBe(0);
});

test('what was filled for a model that was refused goes too', async () => {
  for (let number = 5; number < 30; number += 1)
    await flow.ingest(`The ${topics[number % 5]} of report ${number} lies at mark ${number * 7919}.`, {
      documentId: `report-${number}`,
    });
  await flow.drain();
  await reindex('noise');
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(former);
  expect(await chunksOf('noise')).toBeGreaterThan(0);
  flow.ahead += 31 * dayMs;
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(1);
  expect(await chunksOf('noise')).toBe(0);
  expect(await keysWith(otherVectors)).toEqual([]);
  expect((await find('lighthouse of report 1')).hits[0]).toMatchObject({ documentId: 'report-1' });
});

test('nothing is removed while the namespace is being re-indexed', async () => {
  await reindex(next);
  flow.ahead += 31 * dayMs;
  const chunks = await chunksOf(former);
  await acceptReindex(flow.deps, scope, { model: former, force: true, judged: [] });
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(0);
  expect(await chunksOf(former)).toBe(chunks);
});

test('a version that the present model has not embedded keeps the vectors that it was made with', async () => {
  await flow.ingest('Not read to its end.', { documentId: 'open' });
  while ((await flow.runNext()) !== 'embed');
  const open = flow.queue.take();
  expect(open?.name).toBe('index');
  await reindex(next);
  flow.ahead += 31 * dayMs;
  await removeLeftModels(flow.deps, flow.versionRetentionMs);
  expect((await keysWith(ownVectors)).length).toBe(2);
  await flow.queue.add(open ? [open] : []);
  await flow.drain();
  expect((await find('read to its end')).hits[0]).toMatchObject({ documentId: 'open' });
});

test('where time is up it ends between documents, and the next call goes on there', async () => {
  for (let number = 0; number < 40; number += 1) await flow.ingest(`Note ${number}.`, { documentId: `note-${number}` });
  await flow.drain();
  await reindex(next);
  flow.ahead += 31 * dayMs;
  const { ledger } = flow;
  const slow: typeof ledger = {
    ...ledger,
    listDocuments: (...args) => {
      flow.ahead += 10 * 60_000;
      return ledger.listDocuments(...args);
    },
  };
  const before = (await keysWith(ownVectors)).length;
  expect(await removeLeftModels({ ...flow.deps, ledger: slow }, flow.versionRetentionMs)).toBe(0);
  const between = (await keysWith(ownVectors)).length;
  expect([between < before, between > 0]).toEqual([true, true]);
  while ((await removeLeftModels({ ...flow.deps, ledger: slow }, flow.versionRetentionMs)) === 0);
  expect(await keysWith(ownVectors)).toEqual([]);
});

test('a re-index that is asked for while vectors are removed ends that', async () => {
  await reindex(next);
  flow.ahead += 2 * flow.versionRetentionMs;
  onNext(flow.vectors, 'removeCollection', async (call) => {
    await call();
    await acceptReindex(flow.deps, scope, { model: former, force: false, judged: [] });
  });
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(0);
  expect(await keysWith(ownVectors)).not.toEqual([]);
  await flow.drain();
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(former);
  expect(await chunksOf(former)).toBe(await chunksOf(next));
});

test('nothing is removed of a model that the namespace gets back in the very moment', async () => {
  await reindex(next);
  flow.ahead += 2 * flow.versionRetentionMs;
  const before = await chunksOf(former);
  const switchBack = async (call: () => Promise<string | undefined>) => {
    const present = await call();
    await flow.ledger.switchModel(scope, former);
    return present;
  };
  // Asked for the marker of the model that was left; there is one of the present model too.
  onNext(flow.ledger, 'embeddingModelOf', switchBack, (of) => 'model' in of && of.model === former);
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(0);
  expect(await chunksOf(former)).toBe(before);
});

test('a marker that somebody else has done with is passed over, and so is a version that has no chunks yet', async () => {
  await reindex(next);
  flow.ahead += 2 * flow.versionRetentionMs;
  const markers = await keysWith(/./, leftModelsPrefix);
  expect(markers).toHaveLength(2);
  for (const marker of markers)
    onNext(
      flow.blobs,
      'get',
      async () => undefined,
      (key) => key === marker,
    );
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBe(0);
  await flow.ingest('On its way.', { documentId: 'open' });
  expect(await removeLeftModels(flow.deps, flow.versionRetentionMs)).toBeGreaterThan(0);
  expect(await keysWith(ownVectors)).toEqual([]);
  await flow.drain();
  expect(await flow.ledger.getDocument('acme', 'open')).toMatchObject({ activeVersion: 1 });
});
