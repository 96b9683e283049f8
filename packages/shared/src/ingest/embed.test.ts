import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { createInMemoryFlow } from '../testing/in-memory-flow.ts';
import { readChunkSet, vectorBatchSize } from './stored/artifacts.ts';
import { vectorsKey } from './stored/blob-keys.ts';

const ref = { tenant: 'acme', documentId: 'notes', version: 1 };
const longText = Array.from({ length: 150 }, (_, at) => `# Section ${at}\n\nLamp ${at} warns of rock ${at * 7}.`).join(
  '\n\n',
);

test('the model goes on with the next batch while one is stored', async () => {
  const flow = createInMemoryFlow();
  const put = flow.blobs.put;
  let embeddedMeanwhile = 0;
  flow.blobs.put = async (key, bytes) => {
    if (key === vectorsKey(ref, 0)) {
      const before = flow.embedded.length;
      while (flow.embedded.length === before) await new Promise((resolve) => setImmediate(resolve));
      embeddedMeanwhile = flow.embedded.length - before;
    }
    return put(key, bytes);
  };
  await flow.ingest(longText);
  await flow.drain();
  expect((await flow.ledger.getDocument('acme', 'notes'))?.activeVersion).toBe(1);
  expect(embeddedMeanwhile).toBe(vectorBatchSize);
});

test('where a batch cannot be stored, at most two are embedded again', async () => {
  const flow = createInMemoryFlow();
  const put = flow.blobs.put;
  flow.blobs.put = async (key, bytes) => {
    if (key === vectorsKey(ref, vectorBatchSize)) {
      flow.blobs.put = put;
      // Long enough for the next one to be embedded.
      for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
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
