import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { SearchRequest } from '../contracts/model/search.ts';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { search } from './search.ts';

const modes = ['hybrid', 'dense', 'lexical'] as const;

function ask(memory: ReturnType<typeof createMemory>, request: Partial<SearchRequest> & { query: string }) {
  return search(memory.deps, 'acme', searchFor(request));
}

test.each(modes)('only what has the words in quotes next to each other, in that order, is found (%s)', async (mode) => {
  const memory = createMemory();
  await memory.store({
    documentId: 'a',
    text: 'The annual leave is paid.\n\nLeave that is annual.\n\nAnnual paid leave.',
  });
  await memory.store({ documentId: 'b', title: 'Annual leave', text: 'Nothing else.' });
  const quoted = await ask(memory, { query: '"annual leave" paid', mode });
  expect(quoted).toMatchObject({ mode, hits: [{ text: 'The annual leave is paid.', similarity: expect.any(Number) }] });
  expect([quoted.hits.length, quoted.degraded]).toEqual([1, undefined]);
  expect(quoted.hits[0]?.similarity).toBeGreaterThan(0.5);
  expect((await ask(memory, { query: 'annual leave paid', mode })).hits.length).toBeGreaterThan(2);
  expect((await ask(memory, { query: '"leave annual"', mode })).hits).toEqual([]);
});

test.each(modes)('a phrase is found although hundreds of chunks that have its words are better (%s)', async (mode) => {
  const memory = createMemory();
  const others = Array.from({ length: 300 }, () => 'Leave: annual paid leave.');
  await memory.store({ documentId: 'many', text: others.join('\n\n') });
  const rest = Array.from({ length: 40 }, (_, at) => `word${at}`).join(' ');
  await memory.store({ documentId: 'one', text: `Among ${rest} is annual leave somewhere.` });
  const { hits, degraded } = await ask(memory, { query: '"annual leave"', mode });
  expect([hits.map((hit) => hit.documentId), degraded]).toEqual([['one'], undefined]);
});

test.each(modes)('filters, bounds and versions are obeyed with quotes too (%s)', async (mode) => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Annual leave.\n\nAnnual leave again.', metadata: { lang: 'en' } });
  await memory.store({ documentId: 'b', text: 'Annual leave.', metadata: { lang: 'de' } });
  await memory.store({ documentId: 'b', text: 'Annual leave of today.', metadata: { lang: 'de' } });
  const find = async (more: object) =>
    (await ask(memory, { query: '"annual leave"', mode, ...more })).hits.map(
      (hit) => `${hit.documentId}@${hit.version}`,
    );
  expect((await find({})).sort()).toEqual(['a@1', 'a@1', 'b@2']);
  expect(await find({ filter: { lang: 'de' } })).toEqual(['b@2']);
  expect((await find({ perDocument: 1 })).sort()).toEqual(['a@1', 'b@2']);
  expect(await find({ minScore: 0.99 })).toEqual(['a@1']);
});

test('what is in every chunk is found with its best by meaning, also where those by words are too many', async () => {
  const memory = createMemory();
  const chunks = Array.from({ length: 2100 }, (_, at) => `Annual leave ${at === 2077 ? 'pines' : 'oaks'}.`);
  await memory.store({ documentId: 'many', text: chunks.join('\n\n') });
  for (const mode of modes) {
    const { hits, degraded } = await ask(memory, { query: '"annual leave" pines', mode, topK: 3 });
    expect([hits[0]?.text, hits.length, degraded]).toEqual(['Annual leave pines.', 3, undefined]);
  }
});

const unavailable = () => Promise.reject(new MemoryError('dependency_unavailable', 'away'));

test('quotes are obeyed whatever is away', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Annual leave.\n\nLeave is annual.' });
  const withoutWords = { ...memory.deps, lexical: { ...memory.lexical, rank: unavailable } };
  const query = searchFor({ query: '"annual leave"' });
  const byMeaning = await search(withoutWords, 'acme', query);
  expect(byMeaning).toMatchObject({ hits: [{ text: 'Annual leave.' }], degraded: ['lexical_index_unavailable'] });
  expect(byMeaning.hits).toHaveLength(1);
  memory.embedder.away = true;
  expect((await search(memory.deps, 'acme', query)).hits.map((hit) => hit.text)).toEqual(['Annual leave.']);
  memory.embedder.away = false;
  memory.vectors.onQuery = unavailable;
  const { hits } = await search(memory.deps, 'acme', query);
  expect(hits.map((hit) => [hit.text, Math.round(hit.similarity * 10)])).toEqual([['Annual leave.', 10]]);
});

test('chunks without postings are found by their quotes too, and the answer says that some may be missing', async () => {
  const memory = createMemory();
  for (const documentId of ['a', 'b']) await memory.store({ documentId, text: 'Annual leave.' });
  memory.lexical.deactivate({ tenant: 'acme', namespace: 'default' }, 'b');
  const { hits, degraded } = await ask(memory, { query: '"annual leave"' });
  expect([hits.map((hit) => hit.documentId).sort(), degraded]).toEqual([['a', 'b'], ['index_rebuilding']]);
});

test('among the versions of another day quotes are obeyed as well', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Annual leave.\n\nLeave is annual.' });
  const { hits } = await ask(memory, { query: '"annual leave"', asOf: '2026-05-20T00:00:00Z' });
  expect(hits.map((hit) => hit.text)).toEqual(['Annual leave.']);
});
