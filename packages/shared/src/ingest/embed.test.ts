import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { Embedder } from '../ports/embedder.ts';
import type { Quotas, QuotaUse } from '../ports/quotas.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { onNext } from '../testing/on-next.ts';
import { readChunkSet, vectorBatchSize } from './stored/artifacts.ts';
import { vectorsKey } from './stored/blob-keys.ts';

const ref = { tenant: 'acme', documentId: 'notes', version: 1 };
const longText = Array.from({ length: 150 }, (_, at) => `# Section ${at}\n\nLamp ${at} warns of rock ${at * 7}.`).join(
  '\n\n',
);

const turns = async (count = 50) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** The model of a flow answers each call when it is told to. */
function answeredByHand(flow: InMemoryFlow) {
  const calls: {
    readonly texts: readonly string[];
    readonly signal: AbortSignal | undefined;
    answer(): Promise<void>;
    fail(error: Error): void;
  }[] = [];
  const { embedderFor, embeddingModel } = flow.deps;
  const embedder = embedderFor(embeddingModel);
  const embedPassages: Embedder['embedPassages'] = (texts, signal) =>
    new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      calls.push({
        texts,
        signal,
        answer: async () => {
          resolve(await embedder.embedPassages(texts));
          await turns();
        },
        fail: reject,
      });
    });
  Object.assign(flow.deps, { embedderFor: () => ({ ...embedder, embedPassages }) });
  return { calls, byItself: () => Object.assign(flow.deps, { embedderFor }) };
}

test('two batches are in hand: the first texts of the next wait at the model while one is embedded, all once it is, and no more before it is stored', async () => {
  const flow = createInMemoryFlow();
  const { calls } = answeredByHand(flow);
  const { put } = flow.blobs;
  const { promise: mayBeStored, resolve: store } = Promise.withResolvers<void>();
  flow.blobs.put = async (key, bytes) => {
    if (key === vectorsKey(ref, 0)) await mayBeStored;
    return put(key, bytes);
  };
  await flow.ingest(longText);
  while (flow.queue.waiting[0]?.name !== 'embed') await flow.runNext();
  const run = flow.runNext();
  const counts = () => calls.map(({ texts }) => texts.length);
  await turns();
  expect(counts()).toEqual([32, 8]);
  await calls[0]!.answer();
  expect(counts()).toEqual([32, 8, 24]);
  await calls[1]!.answer();
  await calls[2]!.answer();
  expect(counts()).toEqual([32, 8, 24]);
  store();
  await turns();
  expect(counts()).toEqual([32, 8, 24, 8, 24, 8]);
  for (let at = 3; at < calls.length; at += 1) await calls[at]!.answer();
  await run;
  const chunks = await readChunkSet(flow.blobs, ref);
  expect(calls.flatMap(({ texts }) => texts)).toEqual(chunks?.chunks.map(({ embedText }) => embedText));
});

test.each([
  ['fails', (calls: readonly { fail(error: Error): void }[]) => calls[0]!.fail(new Error('no'))],
  ['cannot be stored', (calls: readonly { answer(): Promise<void> }[]) => void calls[0]!.answer()],
])('where a batch %s the next one is taken back from the model, and its tokens are given back', async (_what, go) => {
  const counted: number[] = [];
  const quotas = {
    take: async (_tenant: string, { tokens = 0 }: QuotaUse) => void counted.push(tokens),
    count: async (_tenant: string, { tokens = 0 }: QuotaUse) => void counted.push(tokens),
  };
  const flow = createInMemoryFlow({ quotas: quotas as unknown as Quotas });
  const { calls, byItself } = answeredByHand(flow);
  await flow.ingest(longText);
  while (flow.queue.waiting[0]?.name !== 'embed') await flow.runNext();
  onNext(flow.blobs, 'putAll', () => Promise.reject(new Error('the disk said no')));
  counted.length = 0;
  const run = flow.runNext();
  await turns();
  const [first, second] = counted;
  go(calls);
  await expect(run).rejects.toBeInstanceOf(MemoryError);
  expect(calls[1]!.signal?.aborted).toBe(true);
  expect(counted.slice(2)).toContain(-second!);
  expect(first).toBeGreaterThan(0);
  byItself();
  await flow.drain();
  expect((await flow.ledger.getDocument('acme', 'notes'))?.activeVersion).toBe(1);
});

test('where a batch cannot be stored, at most two are embedded again', async () => {
  const flow = createInMemoryFlow();
  const put = flow.blobs.put;
  flow.blobs.put = async (key, bytes) => {
    if (key === vectorsKey(ref, vectorBatchSize)) {
      flow.blobs.put = put;
      // Long enough for the next one to be embedded.
      await turns();
      throw new MemoryError('internal', 'the disk said no', { retry: { kind: 'backoff' } });
    }
    return put(key, bytes);
  };
  await flow.ingest(longText);
  await flow.drain();
  expect((await flow.ledger.getDocument('acme', 'notes'))?.activeVersion).toBe(1);
  const chunks = (await readChunkSet(flow.blobs, ref))?.chunks.length ?? 0;
  expect(chunks).toBeGreaterThan(3 * vectorBatchSize);
  expect(flow.embedded.length).toBe(chunks + 2 * vectorBatchSize);
});

test('a text of nothing on pages that need no reading is an empty document', async () => {
  const flow = createInMemoryFlow();
  const page = { number: 1, text: ' \n', needsOcr: false };
  const extraction = { schemaVersion: 1, mediaType: 'text/html', paged: false, pages: [page], warnings: [] };
  Object.assign(flow.deps, { parser: { ...flow.deps.parser, parse: async () => extraction } });
  const { id } = await flow.ingest('<p></p>');
  await flow.drain();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({
    state: 'failed',
    error: { code: 'empty_document', message: 'The document has no text.' },
  });
});

test.each([
  ['no vector at all', []],
  ['a vector of another length', [new Float32Array(3)]],
])('a model that gives %s for a text is a fault of ours, and nothing of it is stored', async (_what, vectors) => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('The harbour is open.');
  const { embedderFor } = flow.deps;
  Object.assign(flow.deps, {
    embedderFor: (model: string) => ({ ...embedderFor(model), embedPassages: async () => vectors }),
  });
  await flow.drain();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({
    state: 'failed',
    error: { code: 'internal', message: 'The model gave no vector of 64 numbers.' },
  });
  expect([...flow.blobs.blobs.keys()].filter((key) => key.endsWith('.f32'))).toEqual([]);
});
