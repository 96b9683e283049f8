import { expect, test } from '@jest/globals';
import type { DocumentRow } from '../ports/ledger.ts';
import type { CollectionKey, VectorQuery, VectorRecord } from '../ports/vector-index.ts';
import { createInMemoryVectorIndex } from '../testing/in-memory-vector-index.ts';
import { createChunkShelf } from './chunk-shelf.ts';
import type { NamespaceTable } from './document-table.ts';

const key: CollectionKey = { tenant: 't', namespace: 'n', model: 'm' };
const vector = Float32Array.of(1, 0);

function recordOf(documentId: string, index: number, text = `${documentId} ${index}`): VectorRecord {
  const place = { documentId, version: 1, index };
  const own = Float32Array.of(1, index / 10);
  return { chunkId: `${documentId}.${index}`, vector: own, text, ...place, headings: [], start: 0, end: 1 };
}

const rowOf = (documentId: string, more: Partial<DocumentRow> = {}): DocumentRow => ({
  ...{ documentId, activeVersion: 1, title: '', metadata: {}, mediaType: 'text/plain', createdAt: '', chunks: 4 },
  activeFrom: 1,
  ...more,
});

/** An index with two documents of four chunks, that tells what it was asked to read. */
async function createBench() {
  const inner = createInMemoryVectorIndex();
  await inner.addMissing(
    key,
    [0, 1, 2, 3].flatMap((index) => [recordOf('d', index), recordOf('e', index)]),
  );
  const rows = new Map([rowOf('d'), rowOf('e')].map((row) => [row.documentId, row]));
  const table = { rows, revision: 1 } as unknown as NamespaceTable & { revision: number };
  const read: string[][] = [];
  const bench = {
    ...{ inner, rows, table, read },
    shelf: createChunkShelf({ maxBytes: 1_000_000 }),
    onQuery: async () => {},
    async query(which: CollectionKey, query: VectorQuery) {
      await bench.onQuery();
      const hits = await inner.query(which, query);
      read.push(hits.map(({ chunkId }) => chunkId).filter((id) => !query.known?.(id)));
      return hits;
    },
    ask: (query: Partial<VectorQuery> = {}) => bench.shelf.query(bench, table, key, { vector, limit: 8, ...query }),
    set(row: DocumentRow) {
      rows.set(row.documentId, row);
      table.revision += 1;
    },
  };
  return bench;
}

test('what a search has read is not read again, and is answered alike', async () => {
  const bench = await createBench();
  const first = await bench.ask();
  expect(await bench.ask()).toEqual(first);
  expect(await bench.ask()).toEqual(first);
  // The second still reads all: only then it is known that so much is here.
  expect(bench.read.map((ids) => ids.length)).toEqual([8, 8, 0]);
});

test('named chunks are compared here where their vectors were read, and the others are asked for', async () => {
  const bench = await createBench();
  const first = await bench.ask({ chunkIds: ['d.1', 'd.2'] });
  expect(await bench.ask({ chunkIds: ['d.2', 'd.1'] })).toEqual(first);
  expect((await bench.ask({ chunkIds: ['d.2', 'e.0', 'd.1'] })).map((hit) => hit.chunkId)).toEqual([
    'e.0',
    'd.1',
    'd.2',
  ]);
  expect((await bench.ask({ chunkIds: ['d.1', 'd.2'], limit: 1 })).map((hit) => hit.chunkId)).toEqual(['d.1']);
  expect(bench.read).toEqual([['d.1', 'd.2'], ['e.0']]);
});

test('a search keeps the vector that a look-up has read', async () => {
  const bench = await createBench();
  await bench.ask({ chunkIds: ['d.1'] });
  await bench.ask();
  await bench.ask({ chunkIds: ['d.1'] });
  expect(bench.read.slice(2)).toEqual([]);
});

test.each([
  ['was cut anew by a retry', rowOf('d', { run: 1 })],
  ['came back after it was deleted', rowOf('d', { activeFrom: 2 })],
])('a document that %s is read anew', async (_, row) => {
  const bench = await createBench();
  await bench.ask({ chunkIds: ['d.1', 'e.1'] });
  await bench.inner.replace(key, [recordOf('d', 1, 'other text')]);
  bench.set(row);
  const hits = await bench.ask({ chunkIds: ['d.1', 'e.1'] });
  expect(hits.map((hit) => hit.text).sort()).toEqual(['e 1', 'other text']);
  expect(bench.read).toEqual([['d.1', 'e.1'], ['d.1']]);
});

test('what was read while documents changed is not kept: it may be of before', async () => {
  const bench = await createBench();
  bench.onQuery = async () => bench.set(rowOf('d', { run: 1 }));
  await bench.ask({ chunkIds: ['d.1'] });
  bench.onQuery = async () => {};
  await bench.ask({ chunkIds: ['d.1'] });
  await bench.ask({ chunkIds: ['d.1'] });
  expect(bench.read).toEqual([['d.1'], ['d.1']]);
});

test('chunks of versions that are not active, and of history, are not kept', async () => {
  const bench = await createBench();
  bench.set(rowOf('d', { activeVersion: 2 }));
  for (let round = 0; round < 2; round += 1) await bench.ask({ chunkIds: ['d.1'] });
  const past = { ...key, history: true as const };
  await bench.inner.addMissing(past, [recordOf('e', 0)]);
  for (let round = 0; round < 2; round += 1)
    await bench.shelf.query(bench, bench.table, past, { vector, limit: 1, chunkIds: ['e.0'] });
  expect(bench.read).toEqual([['d.1'], ['d.1'], ['e.0'], ['e.0']]);
});

test('another model of the namespace has chunks of its own', async () => {
  const bench = await createBench();
  const other = { ...key, model: 'other' };
  await bench.inner.addMissing(other, [recordOf('d', 1, 'as the other has it')]);
  await bench.ask({ chunkIds: ['d.1'] });
  const [hit] = await bench.shelf.query(bench, bench.table, other, { vector, limit: 1, chunkIds: ['d.1'] });
  expect(hit?.text).toBe('as the other has it');
});

test('a chunk that is new is read, although all others are here', async () => {
  const bench = await createBench();
  for (let round = 0; round < 2; round += 1) await bench.ask({ limit: 9 });
  await bench.inner.addMissing(key, [recordOf('d', 4)]);
  expect(await bench.ask({ limit: 9 })).toHaveLength(9);
  expect(bench.read.at(-1)).toEqual(['d.4']);
});

test('after a search that found nothing the next asks for all that it needs', async () => {
  const bench = await createBench();
  for (let round = 0; round < 2; round += 1) await bench.ask();
  expect(await bench.ask({ documentIds: ['nobody'] })).toEqual([]);
  expect(await bench.ask()).toHaveLength(8);
  expect(bench.read.at(-1)).toHaveLength(8);
});
