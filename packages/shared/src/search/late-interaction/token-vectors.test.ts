import { expect, test } from '@jest/globals';
import { encodeJson } from '../../ingest/stored/artifacts.ts';
import { chunksKey, tokensKey } from '../../ingest/stored/blob-keys.ts';
import { embeddedBy, markEmbedded } from '../../ingest/stored/embedded-chunks.ts';
import { checkOf, directionOf, writeTokenFile } from '../../ingest/stored/token-file.ts';
import { bagOfWords, tokenVectors } from '../../testing/fake-embedder.ts';
import { createInMemoryBlobStore } from '../../testing/in-memory-blob-store.ts';
import { createTokenVectorReader } from './token-vectors.ts';

const model = 'a-model';
const megabyte = 2 ** 20;

function setUp(maxBytes = megabyte) {
  const blobs = createInMemoryBlobStore();
  const reads: string[] = [];
  const world = {
    blobs,
    reads,
    /** What every read waits for. */
    gate: Promise.resolve() as Promise<unknown>,
    reader: createTokenVectorReader({
      blobs: {
        get: blobs.get,
        getRange: async (key, start, end) => {
          reads.push(key);
          await world.gate;
          return blobs.getRange(key, start, end);
        },
      },
      maxBytes,
    }),
    async store(documentId: string, texts: readonly string[], of = model) {
      const chunks = texts.map((text) => {
        const { starts, ...tokens } = tokenVectors(text);
        return { ...tokens, starts, textStart: 0, textCheck: checkOf(text), direction: directionOf(bagOfWords(text)) };
      });
      const facts = { modelCheck: checkOf(of), chunksCheck: 1, chunks: texts.length, width: 32, directionWidth: 64 };
      await blobs.put(tokensKey({ tenant: 'acme', documentId, version: 1 }), writeTokenFile(facts, chunks));
    },
  };
  return world;
}

const wanted = (documentId: string, text: string, index = 0) => ({ documentId, version: 1, index, text });

test('reads those of each chunk once, and keeps them', async () => {
  const { store, reader, reads } = setUp();
  await store('a', ['A lamp at sea.', 'It warns ships.']);
  await store('b', ['Pines.']);
  const chunks = [wanted('b', 'Pines.'), wanted('a', 'It warns ships.', 1)];
  for (let round = 0; round < 2; round += 1) {
    const found = await reader.read('acme', model, chunks, 1000);
    expect(found.map((tokens) => tokens?.values)).toEqual(chunks.map(({ text }) => tokenVectors(text).values));
  }
  expect(reads).toHaveLength(2);
});

test('a chunk far into a long file costs one read of it, once the table is known', async () => {
  const { store, reader, reads } = setUp(16 * megabyte);
  const texts = Array.from({ length: 20_000 }, (_, at) => `Lamp ${at}.`);
  await store('long', texts);
  for (const at of [19_999, 12_345]) {
    const [found] = await reader.read('acme', model, [wanted('long', texts[at] as string, at)], 5000);
    expect(found?.textCheck).toBe(checkOf(texts[at] as string));
  }
  // The beginning, the rest of the table, and each of the two.
  expect(reads).toHaveLength(4);
});

test('does not wait longer than it may; what came late is there for the next', async () => {
  const world = setUp();
  await world.store('a', ['A lamp at sea.']);
  const opened = Promise.withResolvers<void>();
  world.gate = opened.promise;
  const chunk = wanted('a', 'A lamp at sea.');
  expect(await world.reader.read('acme', model, [chunk], 10)).toEqual([undefined]);
  const joined = world.reader.read('acme', model, [chunk], 5000);
  opened.resolve();
  expect((await joined)[0]).toBeDefined();
  world.gate = new Promise(() => {});
  expect((await world.reader.read('acme', model, [chunk], 10))[0]).toBeDefined();
  expect(world.reads).toHaveLength(1);
});

test("another text's, another model's, and those that are not there are none", async () => {
  const { store, reader, reads } = setUp();
  await store('a', ['A lamp at sea.']);
  await store('other', ['Pines.'], 'another-model');
  const chunks = [
    wanted('a', 'A lamp on land.'),
    wanted('a', 'A lamp at sea.', 1),
    wanted('other', 'Pines.'),
    wanted('never', 'Pines.'),
  ];
  expect(await reader.read('acme', model, chunks, 1000)).toEqual([undefined, undefined, undefined, undefined]);
  reads.length = 0;
  // That a version has none is remembered for a while.
  await reader.read('acme', model, chunks.slice(2), 1000);
  expect(reads).toEqual([]);
});

test('a version that was cut anew is read anew', async () => {
  const { store, reader } = setUp();
  await store('a', ['A lamp at sea.', 'It warns ships.']);
  await reader.read('acme', model, [wanted('a', 'A lamp at sea.')], 1000);
  await store('a', ['Now there is more.', 'A lamp at sea.', 'It warns ships.']);
  const read = () => reader.read('acme', model, [wanted('a', 'Now there is more.')], 1000);
  await read();
  expect((await read())[0]?.textCheck).toBe(checkOf('Now there is more.'));
});

test('a store that is away has none, and no error', async () => {
  const world = setUp();
  await world.store('a', ['A lamp at sea.']);
  world.blobs.unavailable = true;
  expect(await world.reader.read('acme', model, [wanted('a', 'A lamp at sea.')], 1000)).toEqual([undefined]);
  world.blobs.unavailable = false;
  expect((await world.reader.read('acme', model, [wanted('a', 'A lamp at sea.')], 1000))[0]).toBeDefined();
});

test('keeps no more than it may', async () => {
  const { store, reader, reads } = setUp(20_000);
  const names = Array.from({ length: 50 }, (_, at) => `d${at}`);
  for (const name of names) await store(name, [`A lamp at sea of ${name}.`]);
  const read = async (name: string) => reader.read('acme', model, [wanted(name, `A lamp at sea of ${name}.`)], 1000);
  for (const name of names) await read(name);
  reads.length = 0;
  await read('d49');
  expect(reads).toHaveLength(0);
  await read('d0');
  expect(reads).toHaveLength(1);
});

test('many chunks are read in turns, with room for other work in between', async () => {
  const { store, reader } = setUp();
  const names = Array.from({ length: 30 }, (_, at) => `d${at}`);
  for (const name of names) await store(name, [`A lamp of ${name}.`]);
  let others = 0;
  const turn = () => {
    others += 1;
    handle = setImmediate(turn);
  };
  let handle = setImmediate(turn);
  const chunks = names.map((name) => wanted(name, `A lamp of ${name}.`));
  const found = await reader.read('acme', model, chunks, 10_000);
  clearImmediate(handle);
  expect(found.filter((tokens) => tokens === undefined)).toEqual([]);
  expect(others).toBeGreaterThan(2);
});

test('of a file that ends too early, or is gone meanwhile, there are none', async () => {
  const { store, reader, blobs } = setUp(16 * megabyte);
  const texts = Array.from({ length: 1000 }, (_, at) => `Lamp ${at}.`);
  const read = async (documentId: string, at: number) =>
    (await reader.read('acme', model, [wanted(documentId, texts[at] as string, at)], 5000))[0];
  for (const documentId of ['cut', 'gone']) {
    await store(documentId, texts);
    expect(await read(documentId, 0)).toBeDefined();
  }
  const [cut, gone] = ['cut', 'gone'].map((documentId) => tokensKey({ tenant: 'acme', documentId, version: 1 }));
  const bytes = (await blobs.get(cut as string)) as Uint8Array;
  await blobs.put(cut as string, bytes.slice(0, bytes.length - 10));
  await blobs.remove(gone as string);
  expect([await read('cut', 999), await read('gone', 999)]).toEqual([undefined, undefined]);
  expect(await read('cut', 900)).toBeDefined();
});

test('a version that another model has embedded since has the tokens of that one too', async () => {
  const { blobs, reader } = setUp();
  const ref = { tenant: 'acme', documentId: 'a', version: 1 };
  const text = 'A lamp at sea.';
  const span = { start: 0, end: text.length };
  const chunk = { chunkId: 'c', index: 0, text, headings: [], span, tokens: 4, embedText: text, contentHash: 'h' };
  const set = { schemaVersion: 1 as const, title: 'Lamps', model: 'the-first', dimension: 64, chunks: [chunk] };
  await blobs.put(chunksKey(ref), encodeJson(set));
  const embedded = embeddedBy(ref, set, { model, dimension: 64 });
  await markEmbedded(blobs, embedded);
  const tokensOf = async (key: string, of: string) => {
    const { starts, ...tokens } = tokenVectors(text);
    const record = {
      ...tokens,
      starts,
      textStart: 0,
      textCheck: checkOf(text),
      direction: directionOf(bagOfWords(text)),
    };
    const facts = { modelCheck: checkOf(of), chunksCheck: 1, chunks: 1, width: 32, directionWidth: 64 };
    await blobs.put(key, writeTokenFile(facts, [record]));
  };
  await tokensOf(tokensKey(ref), 'the-first');
  const read = async (of: string) => (await reader.read('acme', of, [wanted('a', text)], 1000))[0];
  await tokensOf(tokensKey(embedded.ref), model);
  expect((await read(model))?.textCheck).toBe(checkOf(text));
  expect((await read('the-first'))?.textCheck).toBe(checkOf(text));
  // Of a model that has embedded it without tokens, or with those of another, there are none.
  const other = embeddedBy(ref, set, { model: 'third', dimension: 64 });
  await markEmbedded(blobs, other);
  await tokensOf(tokensKey(other.ref), 'another');
  expect(await read('third')).toBeUndefined();
});
