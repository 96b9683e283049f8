import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { createInMemoryCache } from '../testing/in-memory-cache.ts';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { createResultCache } from './result-cache.ts';
import { search } from './search.ts';

function createCachedMemory() {
  const memory = createMemory();
  const cache = createInMemoryCache(memory.clock);
  const { clock } = memory;
  const results = createResultCache({ cache, clock, freshMs: 1000, embeddingFreshMs: 60_000, graceMs: 60_000 });
  const deps = { ...memory.deps, results };
  const ask = (query: string, fields: Partial<Parameters<typeof searchFor>[0]> = {}, tenant = 'acme') =>
    search(deps, tenant, searchFor({ query, ...fields }));
  return { ...memory, deps, cache, ask };
}

const ids = ({ hits }: { hits: { documentId: string }[] }) => hits.map(({ documentId }) => documentId);
const later = '2026-06-01T00:00:01.000Z';

test('the same search of an unchanged namespace asks neither the model nor the index again', async () => {
  const { store, ask, vectors, embedder, metrics } = createCachedMemory();
  await store({ documentId: 'trees', text: 'Pines are green.' });
  const first = await ask('pines', { explain: false });
  const queries = vectors.queries.length;
  expect(await ask('pines')).toEqual(first);
  expect(first.hits).toHaveLength(1);
  expect(vectors.queries).toHaveLength(queries);
  expect(embedder.queries).toEqual(['pines']);
  expect(metrics.recorded).toEqual(['search hybrid 0', 'search hybrid 0']);
});

test('another request uses the embedding of the query again, another tenant does not', async () => {
  const { store, ask, embedder } = createCachedMemory();
  await store({ documentId: 'trees', text: 'Pines are green.' });
  await store({ documentId: 'trees', tenant: 'rival', text: 'Pines are blue.' });
  await ask('pines');
  const { hits } = await ask('pines', { topK: 3 });
  expect(hits[0]?.similarity).toBeCloseTo(Math.SQRT1_2, 2);
  expect(embedder.queries).toEqual(['pines']);
  expect((await ask('pines', {}, 'rival')).hits[0]?.text).toBe('Pines are blue.');
  expect(embedder.queries).toEqual(['pines', 'pines']);
});

test('what was committed, patched or deleted before a search is seen by it', async () => {
  const { store, ask, ledger } = createCachedMemory();
  await store({ documentId: 'a', text: 'Pines are green.' });
  expect(ids(await ask('pines'))).toEqual(['a']);
  await store({ documentId: 'b', text: 'Pines are tall.' });
  expect(ids(await ask('pines')).sort()).toEqual(['a', 'b']);
  await ledger.patchDocument('acme', 'a', { title: { value: 'Renamed', upToVersion: 9 } }, later);
  expect((await ask('pines')).hits.find(({ documentId }) => documentId === 'a')?.title).toBe('Renamed');
  await store({ documentId: 'b', text: 'Oaks are tall.' });
  expect((await ask('pines')).hits.map(({ text }) => text)).toContain('Oaks are tall.');
  await ledger.removeDocument('acme', 'a');
  expect(ids(await ask('pines'))).toEqual(['b']);
});

test('a search that lacks something is not kept', async () => {
  const { store, ask, embedder } = createCachedMemory();
  await store({ documentId: 'a', text: 'Pines are green.' });
  embedder.away = true;
  expect((await ask('pines')).degraded).toContain('embedder_unavailable');
  embedder.away = false;
  expect((await ask('pines')).degraded).toBeUndefined();
});

test('while the index is away a whole answer is given from the cache, and says so', async () => {
  const { store, ask, vectors, clock, metrics } = createCachedMemory();
  await store({ documentId: 'a', text: 'Pines are green.' });
  const whole = await ask('pines');
  const away = new MemoryError('dependency_unavailable', 'It is away.');
  vectors.onQuery = async () => {
    throw away;
  };
  vectors.outage = () => away;
  expect(await ask('pines')).toEqual({ ...whole, degraded: ['stale', 'vector_index_unavailable'] });
  // Past its time it is still what words alone would find, and more.
  clock.time += 1001;
  expect(await ask('pines')).toEqual({ ...whole, degraded: ['stale', 'vector_index_unavailable'] });
  expect(metrics.recorded).toContain('degraded stale');
  const other = await ask('green');
  expect(other).toMatchObject({ mode: 'lexical', degraded: ['vector_index_unavailable'] });
});

test('where nothing can answer, an answer of before a change is given with what is true now, unless a hit of it is gone', async () => {
  const { store, ask, ledger, vectors, deps } = createCachedMemory();
  await store({ documentId: 'a', text: 'Pines are green.' });
  await store({ documentId: 'b', text: 'Pines are tall.' });
  await ask('pines', { filter: { title: { $ne: 'hidden' } } });
  await ask('tall pines', { topK: 1 });
  const away = new MemoryError('dependency_unavailable', 'It is away.');
  vectors.query = async () => {
    throw away;
  };
  deps.lexical.read = async () => {
    throw away;
  };
  await ledger.patchDocument('acme', 'a', { title: { value: 'Renamed', upToVersion: 9 } }, later);
  const answer = await ask('pines', { filter: { title: { $ne: 'hidden' } } });
  expect(answer.degraded).toEqual(['stale']);
  expect(answer.hits.find(({ documentId }) => documentId === 'a')?.title).toBe('Renamed');
  await ledger.patchDocument('acme', 'a', { title: { value: 'hidden', upToVersion: 9 } }, later);
  await expect(ask('pines', { filter: { title: { $ne: 'hidden' } } })).rejects.toBe(away);
  await ledger.patchDocument('acme', 'a', { title: { value: 'Back', upToVersion: 9 } }, later);
  await ledger.removeDocument('acme', 'a');
  await expect(ask('pines', { filter: { title: { $ne: 'hidden' } } })).rejects.toBe(away);
  // All that is in this one is there still.
  expect(ids(await ask('tall pines', { topK: 1 }))).toEqual(['b']);
});

test('without the ledger nothing is answered, whatever the cache has', async () => {
  const { store, ask, ledger } = createCachedMemory();
  await store({ documentId: 'a', text: 'Pines are green.' });
  await ask('pines');
  const away = new MemoryError('dependency_unavailable', 'It is away.');
  ledger.documentChanges = async () => {
    throw away;
  };
  await expect(ask('pines')).rejects.toBe(away);
});

test('history is asked every time', async () => {
  const { store, ask, vectors } = createCachedMemory();
  await store({ documentId: 'a', text: 'Pines are green.' });
  await ask('pines', { asOf: '2026-05-20T00:00:00Z' });
  const queries = vectors.queries.length;
  await ask('pines', { asOf: '2026-05-20T00:00:00Z' });
  expect(vectors.queries.length).toBeGreaterThan(queries);
});

test('what says nothing makes no other request, what says something does', async () => {
  const { store, ask, metrics, vectors } = createCachedMemory();
  await store({ documentId: 'a', text: 'Pines are green.\n\nOaks.' });
  await ask('pines');
  await ask('pines', { explain: false, diversity: 0, neighbours: 0 });
  const asked = vectors.queries.length;
  expect((await ask('pines', { explain: true })).hits[0]).toHaveProperty('explain');
  expect((await ask('pines', { neighbours: 1 })).hits[0]?.text).toBe('Pines are green.\n\nOaks.');
  expect((await ask('pines', { diversity: 0.5 })).hits).toHaveLength(2);
  expect((await ask('pines', { rerank: true })).degraded).toEqual(['rerank_unavailable']);
  expect(metrics.recorded.filter((record) => record.startsWith('search'))).toHaveLength(6);
  expect(vectors.queries.length).toBeGreaterThan(asked);
});

test('two who ask the same at once are answered by one search, and neither is told that it is stale', async () => {
  const { store, ask, vectors, embedder } = createCachedMemory();
  await store({ documentId: 'a', text: 'Pines are green.' });
  vectors.outage = () => new MemoryError('dependency_unavailable', 'It is away.');
  const [first, second] = await Promise.all([ask('pines'), ask('pines')]);
  expect(second).toEqual(first);
  expect(first.degraded).toBeUndefined();
  expect(embedder.queries).toHaveLength(1);
});

test('while the embedder is away a whole answer is given from the cache, and says so', async () => {
  const { store, ask, embedder } = createCachedMemory();
  await store({ documentId: 'a', text: 'Pines are green.' });
  const whole = await ask('pines');
  embedder.away = true;
  embedder.outage = () => new MemoryError('dependency_unavailable', 'It is away.');
  expect(await ask('pines')).toEqual({ ...whole, degraded: ['stale', 'embedder_unavailable'] });
});

test('while chunks are being brought back nothing is kept, and of an empty namespace neither', async () => {
  const { store, ask, ledger, cache } = createCachedMemory();
  expect((await ask('pines')).hits).toEqual([]);
  await store({ documentId: 'a', text: 'Pines are green.' });
  await ledger.markIndex({ tenant: 'acme', namespace: 'default' }, 'incomplete');
  for (let round = 0; round < 2; round += 1) expect((await ask('pines')).degraded).toEqual(['index_rebuilding']);
  // Of the query only its vector.
  expect(cache.size).toBe(1);
  await ledger.markIndex({ tenant: 'acme', namespace: 'default' }, 'whole');
  expect((await ask('pines')).degraded).toBeUndefined();
});
