import { expect, test } from '@jest/globals';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { search } from './search.ts';

test.each(['hybrid', 'lexical'] as const)(
  'what words have found is read while the model is at the query, and once (%s)',
  async (mode) => {
    const memory = createMemory();
    await memory.store({ documentId: 'a', text: 'Pines.' });
    const request = searchFor({ query: 'pines', mode });
    const expected = await search(memory.deps, 'acme', request);
    memory.vectors.queries.length = 0;
    const read = Promise.withResolvers<void>();
    memory.vectors.onQuery = async ({ chunkIds }) => {
      if (chunkIds) read.resolve();
    };
    const { embedQuery } = memory.embedder;
    memory.embedder.embedQuery = async (text) => {
      await read.promise;
      return embedQuery(text);
    };
    expect(await search(memory.deps, 'acme', request)).toEqual(expected);
    expect(memory.vectors.queries.filter(({ chunkIds }) => chunkIds)).toHaveLength(1);
  },
);

test.each(['hybrid', 'dense'] as const)(
  'the nearest are looked for while words are, of which none waits for the other (%s)',
  async (mode) => {
    const memory = createMemory();
    await memory.store({ documentId: 'a', text: 'Pines.\n\nOaks.' });
    const request = searchFor({ query: 'pines', mode });
    const expected = await search(memory.deps, 'acme', request);
    const asked = Promise.withResolvers<void>();
    memory.vectors.onQuery = async ({ vector }) => {
      if (vector) asked.resolve();
    };
    const { rank } = memory.lexical;
    memory.lexical.rank = async (...query) => {
      await asked.promise;
      return rank(...query);
    };
    expect(await search(memory.deps, 'acme', request)).toEqual(expected);
  },
);

test('without the model what was read meanwhile is found, and need not be read from the blob store again', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  memory.embedder.away = true;
  const expected = await search(memory.deps, 'acme', searchFor({ query: 'pines' }));
  memory.blobs.unavailable = true;
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines' }));
  expect(answer).toEqual({ ...expected, tookMs: expect.any(Number) });
  expect(answer).toMatchObject({ mode: 'lexical', degraded: ['embedder_unavailable'] });
  expect(answer.hits.map(({ text, similarity }) => [text, similarity])).toEqual([['Pines.', 0]]);
});

test('a search that is cancelled while words are looked for reads nothing', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  const cancelled = new AbortController();
  const { rank } = memory.lexical;
  memory.lexical.rank = async (...query) => {
    cancelled.abort();
    return rank(...query);
  };
  const searching = search(memory.deps, 'acme', searchFor({ query: 'pines' }), cancelled.signal);
  await expect(searching).rejects.toMatchObject({ code: 'cancelled' });
  expect(memory.vectors.queries.filter(({ chunkIds }) => chunkIds)).toEqual([]);
});
