import { expect, test } from '@jest/globals';
import type { Ledger } from '../../ports/ledger.ts';
import { createDocumentTable } from '../../search/document-table.ts';
import { search } from '../../search/search.ts';
import { createFakeEmbedder } from '../../testing/fake-embedder.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { reconcile } from '../recovery/reconcile.ts';
import { readChunkSet } from '../stored/artifacts.ts';
import { readEmbedded } from '../stored/embedded-chunks.ts';
import { exportNamespace } from '../transfer/export-namespace.ts';

const scope = { tenant: 'acme', namespace: 'default' };
const ref = { tenant: 'acme', documentId: 'notes', version: 1 };
const next = 'next-model';

function createTwoModelFlow() {
  const embedder = createFakeEmbedder(next);
  return { flow: createInMemoryFlow({ otherModels: [embedder] }), embedder };
}

const countIn = (flow: InMemoryFlow, model: string) => flow.vectors.count({ ...scope, model });

const find = (flow: InMemoryFlow, query: string) =>
  search({ ...flow.deps, table: createDocumentTable({ ledger: flow.ledger }), versionRetentionMs: 1e9 }, 'acme', {
    query,
    namespace: 'default',
    topK: 5,
    mode: 'dense',
    highlight: false,
  });

/** Does something just before the first call of one of the ledger's methods. */
function before(flow: InMemoryFlow, name: 'activateVersion', act: () => Promise<unknown>): void {
  const ledger = flow.ledger as Ledger;
  const call = ledger[name];
  ledger[name] = async (...args) => {
    ledger[name] = call;
    await act();
    return call(...args);
  };
}

test('a version that was embedded before its namespace got another model is embedded by that one before it is found', async () => {
  const { flow, embedder } = createTwoModelFlow();
  const { id } = await flow.ingest('The harbour lies below the lighthouse.');
  while ((await flow.runNext()) !== 'embed');
  await flow.ledger.switchModel(scope, next);
  await flow.drain();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'succeeded' });
  expect(embedder.embedded).toHaveLength(1);
  expect([await countIn(flow, next), await countIn(flow, flow.deps.embeddingModel)]).toEqual([1, 0]);
  expect(await find(flow, 'lighthouse')).toMatchObject({ hits: [{ documentId: 'notes', version: 1 }] });
  expect((await find(flow, 'lighthouse')).degraded).toBeUndefined();
});

test('the same where the model changes between the writing of the chunks and the flip', async () => {
  const { flow } = createTwoModelFlow();
  await flow.ingest('The harbour lies below the lighthouse.');
  before(flow, 'activateVersion', async () => {
    expect(await countIn(flow, flow.deps.embeddingModel)).toBe(1);
    await flow.ledger.switchModel(scope, next);
  });
  await flow.drain();
  expect(await countIn(flow, next)).toBe(1);
  expect(await find(flow, 'harbour')).toMatchObject({ hits: [{ documentId: 'notes' }] });
});

test('an index that was wiped gets the vectors of the model that the namespace has, and a next version those that are there', async () => {
  const { flow, embedder } = createTwoModelFlow();
  const paragraphs = Array.from(
    { length: 6 },
    (_, at) => `# Part ${at}\n\n${`Words of part ${at} and the sea. `.repeat(40)}`,
  );
  await flow.ingest(paragraphs.join('\n\n'));
  while ((await flow.runNext()) !== 'embed');
  await flow.ledger.switchModel(scope, next);
  await flow.drain();
  const chunks = await countIn(flow, next);
  expect(chunks).toBeGreaterThan(5);
  flow.vectors.wipe();
  const embedded = embedder.embedded.length;
  expect(await reconcile(flow.deps, { index: 'counted' })).toMatchObject({ drift: { missing_chunks: chunks } });
  expect([await countIn(flow, next), embedder.embedded.length]).toEqual([chunks, embedded]);
  await flow.ingest([...paragraphs, '# Last\n\nOne more.'].join('\n\n'));
  await flow.drain();
  // One chunk was new, and the one before it may have been joined with it.
  expect(embedder.embedded.length - embedded).toBeLessThanOrEqual(2);
  expect((await readChunkSet(flow.blobs, { ...ref, version: 2 }))?.model).toBe(next);
});

test('what is active and was never embedded by the present model is said to be missing, and brought by itself', async () => {
  const { flow } = createTwoModelFlow();
  await flow.ingest('The harbour lies below the lighthouse.');
  await flow.drain();
  // As after a rebuild in the moment of a switch.
  await flow.ledger.switchModel(scope, next);
  expect(await reconcile(flow.deps, { index: 'counted' })).toMatchObject({
    drift: { vectors_missing: 1 },
    repaired: 0,
  });
  expect((await find(flow, 'harbour')).degraded).toEqual(['index_rebuilding']);
  await flow.drain();
  expect(await reconcile(flow.deps, { index: 'counted' })).toMatchObject({ drift: { missing_chunks: 1 }, repaired: 1 });
  expect((await find(flow, 'harbour')).degraded).toBeUndefined();
});

test('an archive holds the vectors of the model that it is asked for, as if there had never been another', async () => {
  const { flow } = createTwoModelFlow();
  await flow.ingest('The harbour lies below the lighthouse.');
  while ((await flow.runNext()) !== 'embed');
  await flow.ledger.switchModel(scope, next);
  await flow.drain();
  const embedded = await readEmbedded(flow.blobs, ref, next);
  expect(embedded?.set.model).toBe(next);
  const files = new Map<string, string>();
  for await (const { name, body } of exportNamespace(flow.deps, scope, next)) {
    const parts: Uint8Array[] = [];
    for await (const part of body) parts.push(part);
    files.set(name, Buffer.concat(parts).toString('latin1'));
  }
  const name = [...files.keys()].find((one) => one.endsWith('chunks.json')) ?? '';
  expect(JSON.parse(files.get(name) ?? '')).toEqual(embedded?.set);
  expect([...files.keys()].some((one) => /vectors-0+\.f32$/.test(one))).toBe(true);
});

test('a version that is deleted while it is embedded anew leaves nothing', async () => {
  const { flow, embedder } = createTwoModelFlow();
  await flow.ingest('The harbour lies below the lighthouse.');
  await flow.drain();
  await flow.ledger.switchModel(scope, next);
  await reconcile(flow.deps, { index: 'counted' });
  const prefix =
    [...flow.blobs.blobs.keys()].find((key) => key.endsWith('/v1/chunks.json'))?.replace('chunks.json', '') ?? '';
  const embed = embedder.embedPassages;
  embedder.embedPassages = async (texts, signal) => {
    await flow.blobs.removePrefix(prefix);
    return embed(texts, signal);
  };
  await flow.drain();
  expect([...flow.blobs.blobs.keys()].filter((key) => key.startsWith(prefix))).toEqual([]);
});
