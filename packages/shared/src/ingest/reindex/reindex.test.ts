import { expect, test } from '@jest/globals';
import type { JobRecord, Ledger } from '../../ports/ledger.ts';
import { createDocumentTable } from '../../search/document-table.ts';
import { search } from '../../search/search.ts';
import { stats } from '../../search/stats.ts';
import { createFakeEmbedder, createNoiseEmbedder, type FakeEmbedder } from '../../testing/fake-embedder.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { cancelJob } from '../jobs/cancel.ts';
import { retryJob } from '../jobs/retry.ts';
import { rebuildLedger } from '../recovery/rebuild-ledger.ts';
import { reconcile } from '../recovery/reconcile.ts';
import { removeDocument } from '../remove.ts';
import { acceptReindex, type ReindexRequest } from './accept-reindex.ts';

const scope = { tenant: 'acme', namespace: 'default' };
const next = 'next-model';
const topics = ['harbour', 'lighthouse', 'trawler', 'estuary', 'buoy', 'keel', 'rudder', 'anchor', 'jetty', 'reef'];
const textOf = (number: number) =>
  `The ${topics[number % 10]} of report ${number} lies at mark ${number * 7919}. Nobody saw ${topics[(number + 3) % 10]} ${number}.`;

interface World {
  readonly flow: InMemoryFlow;
  readonly former: string;
  readonly embedder: FakeEmbedder;
  find(query: string, asOf?: string): ReturnType<typeof search>;
  reindex(request?: Partial<ReindexRequest>): Promise<JobRecord>;
  job(id: string): Promise<JobRecord | undefined>;
  count(model: string): Promise<number>;
}

/** Some documents, and another model that is as good. */
async function createWorld(documents = 30): Promise<World> {
  const embedder = createFakeEmbedder(next);
  const flow = createInMemoryFlow({
    otherModels: [embedder, createNoiseEmbedder('noise'), createFakeEmbedder('third')],
  });
  // One for all searches, as in a process.
  const table = createDocumentTable({ ledger: flow.ledger });
  for (let number = 0; number < documents; number += 1) {
    await flow.ingest(textOf(number), { documentId: `report-${number}` });
    await flow.drain();
  }
  return {
    flow,
    former: flow.deps.embeddingModel,
    embedder,
    find: (query, asOf) =>
      search({ ...flow.deps, table, versionRetentionMs: 1e9 }, 'acme', {
        ...{ query, namespace: 'default', topK: 5, mode: 'dense', highlight: false },
        ...(asOf === undefined ? {} : { asOf }),
      }),
    reindex: (request = {}) => acceptReindex(flow.deps, scope, { model: next, force: false, judged: [], ...request }),
    job: (id) => flow.ledger.getJob('acme', id),
    count: (model) => flow.vectors.count({ ...scope, model }),
  };
}

/** Does something just before the next call of one of the ledger's methods. */
function beforeCall<Name extends 'switchModel' | 'getDocument'>(
  flow: InMemoryFlow,
  name: Name,
  act: () => Promise<unknown>,
) {
  const ledger = flow.ledger as Ledger;
  const call = ledger[name] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(ledger, {
    [name]: async (...args: unknown[]) => {
      Object.assign(ledger, { [name]: call });
      await act();
      return call(...args);
    },
  });
}

test('a namespace gets a model that is as good: embedded from the stored chunks, compared, switched, and found as before', async () => {
  const { flow, former, embedder, find, reindex, job, count } = await createWorld();
  const before = await find(textOf(4));
  const calls = flow.embedded.length;
  const { id } = await reindex();
  expect(await job(id)).toMatchObject({ state: 'queued', stage: 'embed', documentId: 'namespace:default' });
  await flow.drain();
  const ended = await job(id);
  expect(ended).toMatchObject({
    state: 'succeeded',
    progress: 1,
    comparison: {
      ...{ formerModel: former, model: next, verdict: 'good', reasons: [], switched: true, agreement: 1 },
      selfRetrieval: { queries: 30, interval: [0, 0] },
    },
  });
  expect(ended?.stages.map(({ name, state }) => `${name} ${state}`)).toEqual([
    ...['fetch skipped', 'parse skipped', 'ocr skipped', 'embed done', 'index done'],
  ]);
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(next);
  expect([await count(next), await count(former)]).toEqual([30, 30]);
  expect([embedder.embedded.length, flow.embedded.length]).toEqual([30, calls]);
  const after = await find(textOf(4));
  expect(after.hits.map(({ chunkId }) => chunkId)).toEqual(before.hits.map(({ chunkId }) => chunkId));
  expect(after.degraded).toBeUndefined();
  expect(await stats(flow.deps, 'acme')).toMatchObject({ documents: 30, vectors: 30, consistent: true });
});

test('what is ingested, replaced and deleted while it is filled is right in both collections', async () => {
  const { flow, former, find, reindex, count } = await createWorld(6);
  await reindex();
  expect(await flow.runNext()).toBe('fill');
  await flow.ingest('An entirely new lantern.', { documentId: 'lantern' });
  await flow.ingest('The replaced report tells of a windmill.', { documentId: 'report-1' });
  await removeDocument(flow.deps, 'acme', 'report-2');
  // The queue has the switch first; these go before it.
  const order = flow.queue.waiting.map(({ name }) => name);
  expect(order[0]).toBe('switch');
  beforeCall(flow, 'switchModel', async () => {
    while (flow.queue.waiting.some(({ name }) => name === 'embed' || name === 'index')) await flow.runNext();
    expect((await find('lantern')).hits[0]).toMatchObject({ documentId: 'lantern' });
    expect(await count(former)).toBe(6);
  });
  await flow.drain();
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(next);
  expect(await count(next)).toBe(6);
  for (const [query, documentId] of [
    ['lantern', 'lantern'],
    ['windmill', 'report-1'],
  ] as const)
    expect((await find(query)).hits[0]).toMatchObject({ documentId });
  expect((await find(textOf(2))).hits.some((hit) => hit.documentId === 'report-2')).toBe(false);
  expect(await stats(flow.deps, 'acme')).toMatchObject({ documents: 6, consistent: true });
  expect((await reconcile(flow.deps, { documents: 'all', index: 'exact' })).drift).toEqual({});
});

test('a document of which a retry has read more, in as many chunks, is right in the new collection too', async () => {
  const { flow, find, reindex, job } = await createWorld(3);
  const { id } = await flow.ingest('What the first page says.\f ', { documentId: 'scan' });
  await flow.drain();
  expect(await job(id)).toMatchObject({ state: 'partial' });
  await reindex();
  expect(await flow.runNext()).toBe('fill');
  const { generation } = await flow.ledger.documentChanges(scope, undefined);
  flow.faults.ocr.set(2, 'The second page tells of a lantern.');
  await retryJob(flow.deps, 'acme', id);
  beforeCall(flow, 'switchModel', async () => {
    while (flow.queue.waiting.length > 0) await flow.runNext();
    expect((await flow.ledger.documentChanges(scope, undefined)).generation).not.toBe(generation);
  });
  await flow.drain();
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(next);
  expect((await find('lantern')).hits[0]).toMatchObject({
    documentId: 'scan',
    text: expect.stringContaining('lantern'),
  });
});

test('a version that is committed in the very moment of the switch is never lost: the switch waits for it', async () => {
  const { flow, find, reindex } = await createWorld(3);
  await reindex();
  beforeCall(flow, 'switchModel', async () => {
    await flow.ingest('A late lantern.', { documentId: 'late' });
    while (flow.queue.waiting.some(({ name }) => name === 'embed' || name === 'index')) await flow.runNext();
  });
  await flow.drain();
  expect((await find('lantern')).hits[0]).toMatchObject({ documentId: 'late' });
  expect(await stats(flow.deps, 'acme')).toMatchObject({ documents: 4, vectors: 4, consistent: true });
});

test('a model that finds worse is refused, with what was measured, and nothing changes; force takes it all the same', async () => {
  const { flow, former, find, reindex, job } = await createWorld();
  const { id } = await reindex({ model: 'noise' });
  await flow.drain();
  const refused = await job(id);
  expect(refused).toMatchObject({
    state: 'failed',
    error: { code: 'worse_model', hint: expect.stringContaining('force') },
    comparison: { verdict: 'worse', switched: false, reasons: [expect.stringContaining('MRR@10')] },
  });
  expect(refused?.comparison?.selfRetrieval?.next).toBeLessThan(refused?.comparison?.selfRetrieval?.former ?? 0);
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(former);
  expect((await find(textOf(3))).hits[0]).toMatchObject({ documentId: 'report-3' });
  const forced = await reindex({ model: 'noise', force: true });
  await flow.drain();
  expect(await job(forced.id)).toMatchObject({ state: 'succeeded', comparison: { verdict: 'worse', switched: true } });
  expect(await flow.ledger.embeddingModelOf(scope)).toBe('noise');
});

test('judged queries decide too', async () => {
  const { flow, reindex, job } = await createWorld(12);
  const judged = topics.map((topic, at) => ({ query: `Where is the ${topic}?`, relevant: [`report-${at}`, 'nobody'] }));
  const { id } = await reindex({ model: 'noise', judged });
  await flow.drain();
  expect((await job(id))?.comparison).toMatchObject({ judged: { queries: 10 }, verdict: 'worse' });
});

test('back to the model before: nothing is embedded but what came since, also in its place', async () => {
  const { flow, former, find, reindex } = await createWorld(8);
  await reindex();
  await flow.drain();
  await flow.ingest('A lantern of the time between.', { documentId: 'lantern' });
  await flow.ingest('The replaced report tells of a windmill.', { documentId: 'report-1' });
  await flow.drain();
  await removeDocument(flow.deps, 'acme', 'report-2');
  expect(await flow.vectors.countDocument({ ...scope, model: former }, 'report-2')).toBe(0);
  const embedded = flow.embedded.length;
  await reindex({ model: former, force: true });
  await flow.drain();
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(former);
  expect(flow.embedded.length - embedded).toBe(2);
  expect((await find('windmill')).hits[0]).toMatchObject({ documentId: 'report-1', version: 2 });
  expect(await stats(flow.deps, 'acme')).toMatchObject({ documents: 8, vectors: 8, consistent: true });
  expect((await reconcile(flow.deps, { documents: 'all', index: 'exact' })).drift).toEqual({});
});

test('a search as of a moment before the switch finds the versions of then, also those that were replaced before it', async () => {
  const { flow, find, reindex } = await createWorld(3);
  await flow.ingest('The first text tells of a windmill.', { documentId: 'report-1' });
  await flow.drain();
  const then = new Date(flow.deps.clock.now() + 500).toISOString();
  flow.ahead += 1000;
  await flow.ingest('The second text tells of a lantern.', { documentId: 'report-1' });
  await flow.drain();
  await reindex();
  expect(await flow.runNext()).toBe('fill');
  flow.ahead += 1000;
  await flow.ingest('The third text tells of a ferry.', { documentId: 'report-1' });
  await flow.drain();
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(next);
  expect((await find('windmill', then)).hits[0]).toMatchObject({ documentId: 'report-1', version: 2 });
  const between = new Date(flow.deps.clock.now() - 500).toISOString();
  expect((await find('lantern', between)).hits[0]).toMatchObject({ documentId: 'report-1', version: 3 });
  expect((await find('ferry')).hits[0]).toMatchObject({ documentId: 'report-1', version: 4 });
  expect(await flow.vectors.count({ ...scope, model: next, history: true })).toBe(3);
});

test('a worker that dies in the middle repeats little: what is embedded is not embedded again', async () => {
  const { flow, embedder, reindex, job } = await createWorld(20);
  const { id } = await reindex();
  const embed = embedder.embedPassages;
  let calls = 0;
  embedder.embedPassages = async (texts, signal) => {
    calls += 1;
    if (calls === 10) throw new Error('killed');
    return embed(texts, signal);
  };
  await expect(flow.runNext()).rejects.toThrow();
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(flow.deps.embeddingModel);
  await flow.drain();
  expect(await job(id)).toMatchObject({ state: 'succeeded' });
  expect(embedder.embedded).toHaveLength(20);
});

test('after a switch an emptied ledger and a wiped index come back with the new model, and nothing is embedded', async () => {
  const { flow, embedder, find, reindex, job } = await createWorld(5);
  const { id } = await reindex();
  await flow.drain();
  const ended = await job(id);
  const embedded = embedder.embedded.length;
  flow.ledger.wipe();
  flow.vectors.wipe();
  await flow.ledger.rebuildOnce(async (ledger, signal) => {
    await rebuildLedger({ ...flow.deps, ledger }, signal);
  });
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(next);
  expect(await job(id)).toMatchObject({ state: 'succeeded', comparison: ended?.comparison });
  await reconcile(flow.deps, { documents: 'all', index: 'exact' });
  expect((await find(textOf(3))).hits[0]).toMatchObject({ documentId: 'report-3' });
  expect(await stats(flow.deps, 'acme')).toMatchObject({ documents: 5, vectors: 5, consistent: true });
  expect(embedder.embedded).toHaveLength(embedded);
});

test('decided and not carried out before the worker died and the ledger lost its last writes: it is carried out', async () => {
  const { flow, find, reindex, job } = await createWorld(4);
  const { id } = await reindex();
  beforeCall(flow, 'switchModel', async () => {
    throw new Error('killed');
  });
  await flow.runNext();
  await expect(flow.runNext()).rejects.toThrow();
  await expect(cancelJob(flow.deps, 'acme', id)).rejects.toMatchObject({ code: 'conflict' });
  flow.ledger.wipe();
  await flow.ledger.rebuildOnce(async (ledger, signal) => {
    await rebuildLedger({ ...flow.deps, ledger }, signal);
  });
  await flow.drain();
  expect(await job(id)).toMatchObject({ state: 'succeeded' });
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(next);
  await reconcile(flow.deps, { documents: 'all', index: 'exact' });
  expect((await find(textOf(3))).hits[0]).toMatchObject({ documentId: 'report-3' });
});

test('one at a time: the same is the same job, another is refused, and so is what there is nothing to do for', async () => {
  const { flow, former, reindex, job } = await createWorld(3);
  const { id } = await reindex();
  expect((await reindex()).id).toBe(id);
  await expect(reindex({ model: 'third' })).rejects.toMatchObject({ code: 'conflict' });
  await cancelJob(flow.deps, 'acme', id);
  await flow.drain();
  expect(await job(id)).toMatchObject({ state: 'cancelled' });
  expect(await flow.ledger.embeddingModelOf(scope)).toBe(former);
  await expect(reindex({ model: former })).rejects.toMatchObject({ code: 'conflict' });
  await expect(reindex({ model: 'unknown' })).rejects.toMatchObject({ code: 'unprocessable' });
  await expect(
    acceptReindex(flow.deps, { ...scope, namespace: 'nowhere' }, { model: next, force: false, judged: [] }),
  ).rejects.toMatchObject({ code: 'not_found' });
  // Later ones win over an earlier one that is tried again.
  const later = await reindex({ model: 'third' });
  await flow.drain();
  expect(await job(later.id)).toMatchObject({ state: 'succeeded' });
  await retryJob(flow.deps, 'acme', id);
  await flow.drain();
  expect(await job(id)).toMatchObject({ state: 'failed', error: { code: 'conflict' } });
  expect(await flow.ledger.embeddingModelOf(scope)).toBe('third');
});

test('a search that began before the switch is answered as if it had begun after it', async () => {
  const { flow, find, reindex } = await createWorld(5);
  await reindex();
  const query = flow.vectors.query;
  let switched = false;
  Object.assign(flow.vectors, {
    query: async (...args: Parameters<typeof query>) => {
      if (!switched && args[0].model !== next && flow.queue.waiting.length > 0) {
        switched = true;
        await flow.drain();
        await flow.ingest('The replaced report tells of a windmill.', { documentId: 'report-1' });
        await flow.drain();
        // Another search of this process has seen it.
        expect((await find('windmill')).hits[0]).toMatchObject({ documentId: 'report-1', version: 2 });
      }
      return query(...args);
    },
  });
  const { hits, degraded } = await find('windmill report');
  expect(switched).toBe(true);
  expect([hits[0]?.documentId, hits[0]?.version, hits.length, degraded]).toEqual(['report-1', 2, 5, undefined]);
});
