import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { search } from './search.ts';

const away = () => Promise.reject(new MemoryError('dependency_unavailable', 'away'));

/** The index looks for the nearest, but cannot read chunks by their ids, and the blob store is away too. */
function withoutReads(memory: ReturnType<typeof createMemory>): void {
  memory.blobs.unavailable = true;
  memory.vectors.onQuery = async ({ chunkIds }) => {
    if (chunkIds) await away();
  };
}

test('what words have found and cannot be read is not missed where meaning finds it too', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.\n\nOaks.' });
  const whole = await search(memory.deps, 'acme', searchFor({ query: 'pines' }));
  withoutReads(memory);
  expect(await search(memory.deps, 'acme', searchFor({ query: 'pines' }))).toEqual(whole);
});

test('quotes are obeyed by meaning where what words have found cannot be read', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Annual leave.\n\nLeave is annual.' });
  withoutReads(memory);
  const answer = await search(memory.deps, 'acme', searchFor({ query: '"annual leave"' }));
  expect(answer).toMatchObject({ mode: 'dense', degraded: ['lexical_index_unavailable'] });
  expect(answer.hits.map((hit) => hit.text)).toEqual(['Annual leave.']);
});

test('a search by meaning needs no postings; one by words fails without them', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  memory.lexical.rank = away;
  const dense = await search(memory.deps, 'acme', searchFor({ query: 'pines', mode: 'dense' }));
  expect([dense.hits.map((hit) => hit.text), dense.degraded]).toEqual([['Pines.'], undefined]);
  const lexical = search(memory.deps, 'acme', searchFor({ query: 'pines', mode: 'lexical' }));
  await expect(lexical).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test('without embedder and index a phrase is found in the blob store, also below hundreds with its words', async () => {
  const memory = createMemory();
  const others = Array.from({ length: 150 }, () => 'Leave: annual paid leave.');
  await memory.store({ documentId: 'many', text: [...others, 'The annual leave of everybody else.'].join('\n\n') });
  memory.embedder.away = true;
  memory.vectors.onQuery = away;
  const { hits, mode } = await search(memory.deps, 'acme', searchFor({ query: '"annual leave"' }));
  expect([mode, hits.map((hit) => hit.text)]).toEqual(['lexical', ['The annual leave of everybody else.']]);
});

test('while the index is known to lack chunks every answer says so', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  await memory.ledger.markIndex({ tenant: 'acme', namespace: 'default' }, 'incomplete');
  expect(await search(memory.deps, 'acme', searchFor({ query: 'pines' }))).toMatchObject({
    hits: [{ text: 'Pines.' }],
    degraded: ['index_rebuilding'],
  });
});

test('a query without a word finds nothing by words, and whatever is near by meaning', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  expect((await search(memory.deps, 'acme', searchFor({ query: '?!', mode: 'lexical' }))).hits).toEqual([]);
  const { hits } = await search(memory.deps, 'acme', searchFor({ query: '?!' }));
  expect(hits.map(({ text, score }) => [text, score])).toEqual([['Pines.', 0]]);
});

test('what only words have found and cannot be read is left out, and it is said', async () => {
  const memory = createMemory();
  const many = Array.from({ length: 150 }, () => 'Pines, sand, sun.').join('\n\n');
  await memory.store({ documentId: 'many', text: many });
  await memory.store({ documentId: 'rare', text: 'Resin, oaks, elms, limes.' });
  const request = searchFor({ query: 'pines resin' });
  expect((await search(memory.deps, 'acme', request)).hits[0]?.documentId).toBe('rare');
  withoutReads(memory);
  const answer = await search(memory.deps, 'acme', request);
  expect(answer).toMatchObject({ mode: 'dense', degraded: ['lexical_index_unavailable'] });
  expect(answer.hits.map((hit) => hit.documentId)).toEqual(Array(10).fill('many'));
});

test('neighbours that cannot be read now are said to be missing, and the hits are given', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: `Pines.\n\n${'Oaks.\n\n'.repeat(200)}` });
  withoutReads(memory);
  const request = searchFor({ query: 'pines', topK: 1, neighbours: 1, mode: 'dense' });
  const answer = await search(memory.deps, 'acme', request);
  expect(answer.hits.map((hit) => hit.text)).toEqual(['Pines.']);
  expect(answer.degraded).toEqual(['neighbours_incomplete']);
});

test('where no vectors can be read the hits are not diverse, and it is said', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.\n\nOaks.' });
  withoutReads(memory);
  memory.vectors.vectorsOf = away;
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines', diversity: 0.5 }));
  expect(answer.hits.map((hit) => hit.text)).toEqual(['Pines.', 'Oaks.']);
  expect(answer.degraded).toEqual(['diversity_unavailable']);
});
