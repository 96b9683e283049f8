import { expect, test } from '@jest/globals';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { searchBatch } from './search-batch.ts';

test('answers in the order of the queries', async () => {
  const memory = createMemory();
  const words = ['pines', 'oaks', 'elms', 'limes', 'ashes', 'beeches', 'maples'];
  for (const word of words) await memory.store({ documentId: word, text: `About ${word}.` });
  const answers = await searchBatch(
    memory.deps,
    'acme',
    words.map((query) => searchFor({ query, topK: 1 })),
  );
  expect(answers.map((answer) => answer.hits[0]?.documentId)).toEqual(words);
});

test('the first failure is the whole one’s, and stops the rest', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  const requests = Array.from({ length: 50 }, (_, index) =>
    searchFor({ query: 'pines', ...(index === 1 ? { asOf: '2026-01-01T00:00:00Z' } : {}) }),
  );
  await expect(searchBatch(memory.deps, 'acme', requests)).rejects.toMatchObject({ code: 'unprocessable' });
  expect(memory.vectors.queries.length).toBeLessThan(10);
});

test('a search that ends well after another has failed is the last of its row', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  const requests = Array.from({ length: 50 }, (_, index) =>
    searchFor({ query: 'pines', mode: 'lexical', ...(index === 1 ? { asOf: '2026-01-01T00:00:00Z' } : {}) }),
  );
  await expect(searchBatch(memory.deps, 'acme', requests)).rejects.toMatchObject({ code: 'unprocessable' });
  expect(memory.embedder.queries.length).toBeLessThan(10);
});

test('a caller who gives up ends all searches', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  const requests = Array.from({ length: 50 }, () => searchFor({ query: 'pines' }));
  const caller = new AbortController();
  memory.vectors.onQuery = async () => caller.abort();
  await expect(searchBatch(memory.deps, 'acme', requests, caller.signal)).rejects.toMatchObject({ code: 'cancelled' });
  expect(memory.vectors.queries.length).toBeLessThan(10);
});
