import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { tokenVectors } from '../testing/fake-embedder.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { onNext } from '../testing/on-next.ts';
import { removeDocument } from './remove.ts';
import { readChunkSet, vectorBatchSize } from './stored/artifacts.ts';
import { tokensKey, tokensPartKey, type VersionRef, vectorsKey } from './stored/blob-keys.ts';
import { type ChunkTokens, readRecord, readTable, recordRange } from './stored/token-file.ts';

const late = () => createInMemoryFlow({ lateInteraction: true });
const refOf = (version: number): VersionRef => ({ tenant: 'acme', documentId: 'notes', version });
const first = refOf(1);

/** Of more than one batch: many sections, each a chunk. */
const section = (at: number) =>
  `# Section ${at}\n\nThe lamp number ${at} burns at sea. It warns ships of rock ${at * 7}.`;
const longText = (sections = 150) => Array.from({ length: sections }, (_, at) => section(at)).join('\n\n');

async function tokensOfVersion(flow: InMemoryFlow, ref: VersionRef): Promise<ChunkTokens[]> {
  const file = await flow.blobs.get(tokensKey(ref));
  const table = file && readTable(file);
  if (!file || !table || 'needsBytes' in table) throw new Error('there are no token vectors');
  return Array.from({ length: table.chunks }, (_, index) => {
    const { start, end } = recordRange(table, index);
    return readRecord(table, index, file.subarray(start, end));
  });
}

/** Whether each chunk's tokens are those of its own text, and begin where they stand in it. */
async function expectRight(flow: InMemoryFlow, ref: VersionRef): Promise<void> {
  const { chunks = [] } = (await readChunkSet(flow.blobs, ref)) ?? {};
  const found = await tokensOfVersion(flow, ref);
  expect(found).toHaveLength(chunks.length);
  chunks.forEach(({ text, embedText, span }, index) => {
    const { textStart, starts, values } = found[index] as ChunkTokens;
    const expected = tokenVectors(embedText);
    expect(textStart).toBe(span.start);
    expect(values).toEqual(expected.values);
    const before = embedText.length - text.length;
    expect(Array.from(starts)).toEqual(Array.from(expected.starts, (start) => start - before));
  });
}

const partsOf = (flow: InMemoryFlow) => [...flow.blobs.blobs.keys()].filter((key) => key.endsWith('.part'));

test('a short document has the vectors of its tokens in a file', async () => {
  const flow = late();
  await flow.ingest('A lamp at sea warns ships.', { title: 'Lighthouses' });
  await flow.drain();
  await expectRight(flow, first);
  const [{ starts }] = (await tokensOfVersion(flow, first)) as [ChunkTokens];
  expect(starts.filter((start) => start < 0).length).toBe(2);
  expect(flow.embedded).toHaveLength(1);
});

test('a long document has one file for all of its chunks, and no parts are left', async () => {
  const flow = late();
  await flow.ingest(longText());
  await flow.drain();
  await expectRight(flow, first);
  expect((await tokensOfVersion(flow, first)).length).toBeGreaterThan(128);
  expect(partsOf(flow)).toEqual([]);
});

test('a crash in the middle repeats no batch that is stored', async () => {
  const flow = late();
  const put = flow.blobs.put;
  flow.blobs.put = async (key, bytes) => {
    if (key === vectorsKey(first, 128)) {
      flow.blobs.put = put;
      throw new MemoryError('internal', 'the process died', { retry: { kind: 'backoff' } });
    }
    return put(key, bytes);
  };
  await flow.ingest(longText());
  await flow.drain();
  await expectRight(flow, first);
  const chunks = (await readChunkSet(flow.blobs, first))?.chunks.length ?? 0;
  expect(flow.embedded.length).toBe(chunks + (chunks - 128));
});

test('a batch whose vectors were stored, but not those of its tokens, is embedded again', async () => {
  const flow = late();
  const put = flow.blobs.put;
  flow.blobs.put = async (key, bytes) => {
    if (key === tokensPartKey(first, vectorBatchSize)) {
      flow.blobs.put = put;
      throw new MemoryError('internal', 'the process died', { retry: { kind: 'backoff' } });
    }
    return put(key, bytes);
  };
  await flow.ingest(longText());
  await flow.drain();
  expect((await flow.ledger.getDocument('acme', 'notes'))?.activeVersion).toBe(1);
  await expectRight(flow, first);
});

test('a new version takes the token vectors of what has not changed, where it stands now', async () => {
  const flow = late();
  await flow.ingest(longText());
  await flow.drain();
  const before = flow.embedded.length;
  const inserted = longText().replace('# Section 70\n', '# Section new\n\nA word about buoys.\n\n# Section 70\n');
  await flow.ingest(inserted);
  await flow.drain();
  await expectRight(flow, refOf(2));
  expect(flow.embedded.length - before).toBeLessThanOrEqual(3);
});

test('a document from before it had any gets them with its next version', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('A lamp at sea warns ships.');
  await flow.drain();
  expect(await flow.blobs.has(tokensKey(first))).toBe(false);
  // From here on the model gives them.
  Object.assign(flow.deps, { embedderFor: late().deps.embedderFor });
  await flow.ingest('A lamp at sea warns ships.');
  await flow.drain();
  await expectRight(flow, refOf(2));
});

test('chunks that repeat each other are embedded once, whichever batch they are in', async () => {
  const flow = late();
  const same = '# Notice\n\nAll rights are kept by the keeper of the lamp, who may be asked for copies.';
  const text = `${longText(100)}\n\n${same}\n\n${longText(100)}`;
  await flow.ingest(text, { title: '' });
  await flow.drain();
  await expectRight(flow, first);
  expect(new Set(flow.embedded).size).toBe(flow.embedded.length - repeatedInABatch(flow.embedded));
});

test('a delete takes the file along and counts it', async () => {
  const flow = late();
  await flow.ingest('A lamp at sea warns ships.');
  await flow.drain();
  const there = [...flow.blobs.blobs.keys()].filter((key) => key.includes('/documents/')).length;
  expect(there).toBeGreaterThan(4);
  expect((await removeDocument(flow.deps, 'acme', 'notes')).removed.blobs).toBe(there);
  expect([...flow.blobs.blobs.keys()].filter((key) => key.endsWith('tokens.bin'))).toEqual([]);
});

test('a file that is cut short, or of other chunks, gives nothing to the next version', async () => {
  const flow = late();
  await flow.ingest('A lamp at sea warns ships.');
  await flow.ingest('A bell at sea warns ships.', { documentId: 'other' });
  await flow.drain();
  const [own, others] = [
    await flow.blobs.get(tokensKey(first)),
    await flow.blobs.get(tokensKey({ ...first, documentId: 'other' })),
  ];
  for (const [number, file] of [own?.subarray(0, -4), others].entries()) {
    await flow.blobs.put(tokensKey(refOf(number + 1)), file ?? new Uint8Array());
    const before = flow.embedded.length;
    await flow.ingest('A lamp at sea warns ships.');
    await flow.drain();
    expect(flow.embedded.length).toBe(before + 1);
    await expectRight(flow, refOf(number + 2));
  }
});

test('a worker that dies once all is in one file makes it no second time', async () => {
  const flow = late();
  await flow.ingest(longText());
  await flow.runNext();
  onNext(flow.blobs, 'list', () => {
    throw new MemoryError('internal', 'the process died', { retry: { kind: 'backoff' } });
  });
  await expect(flow.runNext()).rejects.toMatchObject({ message: 'the process died' });
  const embedded = flow.embedded.length;
  let streams = 0;
  const { putStream } = flow.blobs;
  flow.blobs.putStream = (...args) => {
    streams += 1;
    return putStream(...args);
  };
  await flow.drain();
  await expectRight(flow, first);
  expect([streams, flow.embedded.length, partsOf(flow)]).toEqual([0, embedded, []]);
});

test.each([
  ['before it is looked at', () => true],
  ['while all are joined', (_key: string, start: number) => start > 0],
])('a batch that goes %s is embedded again', async (_when, isMeant) => {
  const flow = late();
  await flow.ingest(longText());
  await flow.runNext();
  const part = tokensPartKey(first, vectorBatchSize);
  onNext(
    flow.blobs,
    'getRange',
    async () => {
      await flow.blobs.remove(part);
      return undefined;
    },
    (key, start) => key === part && isMeant(key, start),
  );
  await expect(flow.runNext()).rejects.toMatchObject({
    message: 'A batch of token vectors is not there any more.',
    retry: { kind: 'backoff' },
  });
  const embedded = flow.embedded.length;
  await flow.drain();
  await expectRight(flow, first);
  expect(flow.embedded.length).toBe(embedded + vectorBatchSize);
});

/** Two of the same in one batch are embedded together, before either is known. */
function repeatedInABatch(embedded: readonly string[]): number {
  let repeated = 0;
  for (let from = 0; from < embedded.length; from += vectorBatchSize) {
    const batch = embedded.slice(from, from + vectorBatchSize);
    repeated += batch.length - new Set(batch).size;
  }
  return repeated;
}
