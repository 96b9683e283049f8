import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { search } from './search.ts';

/** Runs once, when words are next asked. */
function beforeWords(memory: ReturnType<typeof createMemory>, change: () => Promise<unknown>): void {
  const { rank } = memory.lexical;
  memory.lexical.rank = async (...query) => {
    memory.lexical.rank = rank;
    await change();
    return rank(...query);
  };
}

test.each([
  ['without a filter', {}],
  ['with a filter', { filter: { kind: 'tree' } }],
])('a document that is replaced while words are asked is found in its new version (%s)', async (_, more) => {
  const memory = createMemory();
  const metadata = { kind: 'tree' };
  await memory.store({ documentId: 'a', text: 'Pines are green.', metadata });
  await memory.store({ documentId: 'b', text: 'Pines are blue.' });
  beforeWords(memory, () => memory.store({ documentId: 'a', text: 'Pines are tall.', metadata }));
  const request = searchFor({ query: 'pines', mode: 'lexical', ...more });
  const { hits } = await search(memory.deps, 'acme', request);
  expect(hits.map((hit) => hit.text)).toContain('Pines are tall.');
});

test.each([
  ['also by words', 'Pines are tall.'],
  ['by meaning alone', 'Oaks are tall.'],
])('a document that is replaced once the nearest are known is found in its new version, %s', async (_, text) => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines are green.' });
  await memory.store({ documentId: 'b', text: 'Elms.' });
  const found = Promise.withResolvers<void>();
  const { query } = memory.vectors;
  memory.vectors.query = async (...asked) => {
    const hits = await query(...asked);
    found.resolve();
    return hits;
  };
  beforeWords(memory, async () => {
    await found.promise;
    await memory.store({ documentId: 'a', text });
    // As another search does at the same time.
    await memory.deps.table.refresh({ tenant: 'acme', namespace: 'default' });
  });
  const { hits } = await search(memory.deps, 'acme', searchFor({ query: 'pines' }));
  expect(hits.map((hit) => hit.text).sort()).toEqual(['Elms.', text].sort());
});

test('words are not asked for ever where documents change all the time', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines are green.' });
  const { rank } = memory.lexical;
  let asked = 0;
  memory.lexical.rank = async (...query) => {
    asked += 1;
    const ranking = await rank(...query);
    return { ...ranking, hits: ranking.hits.map((hit) => ({ ...hit, version: 100 + asked })) };
  };
  const { hits } = await search(memory.deps, 'acme', searchFor({ query: 'pines', mode: 'lexical' }));
  expect([hits, asked]).toEqual([[], 4]);
});

test('a document that is gone before its chunks are read by their ids is not found, the others are', async () => {
  const memory = createMemory();
  const metadata = { kind: 'tree' };
  await memory.store({ documentId: 'others', text: Array.from({ length: 600 }, () => 'Oaks.').join('\n\n') });
  await memory.store({ documentId: 'a', text: Array.from({ length: 5 }, () => 'Pines.').join('\n\n'), metadata });
  await memory.store({ documentId: 'b', text: 'Pines and elms.', metadata });
  memory.vectors.onQuery = async () => {
    memory.vectors.onQuery = async () => {};
    await memory.ledger.removeDocument('acme', 'b');
    // As another search does at the same time.
    await memory.deps.table.refresh({ tenant: 'acme', namespace: 'default' });
  };
  const request = { query: 'pines', mode: 'dense' as const, filter: metadata, topK: 2, perDocument: 1 };
  const { hits } = await search(memory.deps, 'acme', searchFor(request));
  expect(hits.map((hit) => hit.documentId)).toEqual(['a']);
});

test('documents that are half written do not hide others, were there more of them than a query can name', async () => {
  const memory = createMemory();
  for (let at = 0; at < 450; at += 1) await memory.store({ documentId: `d${at}`, text: 'Pines.', inFlight: true });
  await memory.store({ documentId: 'live', text: 'Pines and oaks.' });
  const { hits } = await search(memory.deps, 'acme', searchFor({ query: 'pines', mode: 'dense', topK: 3 }));
  expect(hits.map((hit) => hit.documentId)).toEqual(['live']);
  const named = memory.vectors.queries.map(({ excludeVersions }) => excludeVersions?.length ?? 0);
  expect(Math.max(...named)).toBe(200);
});

const away = () => Promise.reject(new MemoryError('dependency_unavailable', 'away'));

test('where the scores of words are away by the time that they are needed, meaning answers, and it is said', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  memory.lexical.score = away;
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines' }));
  expect(answer).toMatchObject({ mode: 'dense', degraded: ['lexical_index_unavailable'], hits: [{ text: 'Pines.' }] });
});
