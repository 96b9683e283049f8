import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { CollectionKey } from '@semantic-memory/shared/ports/vector-index';
import { type ChromaAnswer, chromaError, type OddChroma, startOddChroma } from './testing/odd-chroma.ts';
import { createChromaIndex } from './vector-index.ts';

/** A Chroma that fails at single steps, or whose records vanish between two of them. */
const server = {
  host: process.env.TEST_CHROMA_HOST ?? '127.0.0.1',
  port: Number(process.env.TEST_CHROMA_PORT),
  ssl: false,
};
let odd: OddChroma;
beforeAll(async () => {
  odd = await startOddChroma(server);
});
afterEach(() => {
  odd.answer = (_, ask) => ask();
});
afterAll(() => odd.close());

let keys = 0;
const freshKey = (): CollectionKey => {
  keys += 1;
  return { tenant: `odd-${process.pid}-${Date.now()}-${keys}`, namespace: 'default', model: 'm' };
};
const record = (chunkId: string, ...vector: number[]) => ({
  ...{ chunkId, vector: Float32Array.from(vector), text: `text of ${chunkId}`, documentId: 'd', version: 1 },
  ...{ index: 0, headings: [], start: 0, end: 1 },
});
const behind = () => createChromaIndex({ ...server, port: odd.port });
const direct = createChromaIndex(server);
const query = { vector: Float32Array.of(1, 0), limit: 3 };
const three = [record('a', 1, 0), record('b', 0.8, 0.6), record('c', 0, 1)];

/** Answers what is asked of this method and address otherwise. */
function otherwise(
  method: string,
  address: RegExp,
  answer: (ask: () => Promise<ChromaAnswer>) => ChromaAnswer | Promise<ChromaAnswer>,
): void {
  odd.answer = (request, ask) => (request.method === method && address.test(request.url ?? '') ? answer(ask) : ask());
}

const collections = /\/collections$/;
const oneCollection = /\/collections\/sm_\w+$/;

test('a collection that two processes make at the same time is made once, and both write to it', async () => {
  const key = freshKey();
  let made = 0;
  const index = createChromaIndex({
    ...server,
    port: odd.port,
    onCollectionMade: () => {
      made += 1;
    },
  });
  otherwise('POST', collections, async (ask) => {
    await ask();
    return chromaError(409, 'UniqueConstraintError');
  });
  await index.addMissing(key, [record('a', 1, 0)]);
  // Found by its name, in a process that has not seen it yet.
  await behind().addMissing(key, [record('b', 0, 1)]);
  expect([await direct.count(key), made]).toEqual([2, 0]);
});

test.each([
  ['GET', oneCollection],
  ['POST', collections],
])('where a collection cannot be looked up or made nothing is said about it: %s', async (method, address) => {
  otherwise(method, address, () => chromaError(500, 'InternalError'));
  await expect(behind().addMissing(freshKey(), three)).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test('where a collection is deleted again and again while it is written to the write is to be repeated', async () => {
  const key = freshKey();
  await direct.addMissing(key, three);
  otherwise('POST', /\/(upsert|get)$/, () => chromaError(404, 'NotFoundError'));
  const index = behind();
  await expect(index.replace(key, three)).rejects.toMatchObject({
    ...{ code: 'dependency_unavailable', message: 'The collection was deleted while it was written.' },
  });
  expect(await index.present(key, ['a'])).toEqual(new Set());
});

test('a collection that cannot be removed is told, one that is not there is removed', async () => {
  const key = freshKey();
  await behind().removeCollection(key);
  otherwise('DELETE', oneCollection, () => chromaError(500, 'InternalError'));
  await expect(behind().removeCollection(key)).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test('a server that does not say whether it reads packed vectors gets them as numbers', async () => {
  const key = freshKey();
  otherwise('GET', /pre-flight-checks$/, () => ({ status: 200, body: { max_batch_size: 1000 } }));
  await behind().addMissing(key, three);
  expect((await direct.query(key, query)).map(({ chunkId }) => chunkId)).toEqual(['a', 'b', 'c']);
});

test('to write no records asks nothing of the server', async () => {
  odd.answer = () => chromaError(500, 'InternalError');
  await behind().replace(freshKey(), []);
  await behind().addMissing(freshKey(), []);
});

test('a record whose vector is gone while it is read has an empty one', async () => {
  const key = freshKey();
  await direct.addMissing(key, three);
  otherwise('POST', /\/get$/, async (ask) => {
    const { status, body } = await ask();
    body.embeddings[body.ids.indexOf('b')] = null;
    return { status, body };
  });
  const vectors = await behind().vectorsOf(key, ['a', 'b']);
  expect([vectors.get('a')?.length, vectors.get('b')?.length]).toEqual([2, 0]);
  // Among records that are named it is not found, and what is found comes best first.
  const found = await behind().query(key, { ...query, chunkIds: ['c', 'b', 'a'] });
  expect(found.map(({ chunkId }) => chunkId)).toEqual(['a', 'c']);
});

test('a record that is gone before its distance is known is not found, also where the caller knows its text', async () => {
  const key = freshKey();
  await direct.addMissing(key, three);
  otherwise('POST', /\/query$/, async (ask) => {
    const { status, body } = await ask();
    body.distances[0][body.ids[0].indexOf('b')] = null;
    return { status, body };
  });
  const known = (chunkId: string) =>
    chunkId === 'c' ? undefined : { ...three[0]!, chunkId, text: `known text of ${chunkId}` };
  const found = await behind().query(key, { ...query, known });
  expect(found.map(({ chunkId, text }) => [chunkId, text])).toEqual([
    ['a', 'known text of a'],
    ['c', 'text of c'],
  ]);
});
