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
