import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { Reranker } from '../ports/reranker.ts';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { search } from './search.ts';

test('finds the nearest chunks first, each with its place, title and highlights', async () => {
  const memory = createMemory();
  await memory.store({
    documentId: 'trees',
    title: 'Trees',
    metadata: { lang: 'en' },
    text: 'Oaks lose their leaves in autumn.\n\nPines keep needles all winter. Snow lies on them.',
  });
  await memory.store({ documentId: 'cars', text: 'Engines burn petrol.' });
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines in winter', explain: true }));
  expect(answer.mode).toBe('hybrid');
  expect(answer.degraded).toBeUndefined();
  const [hit] = answer.hits;
  const text = memory.texts.get('acme/trees@1') ?? '';
  expect(hit).toMatchObject({ documentId: 'trees', version: 1, title: 'Trees', metadata: { lang: 'en' } });
  expect(text.slice(hit?.span.start, hit?.span.end)).toBe(hit?.text);
  expect(hit?.highlights.map((span) => text.slice(span.start, span.end))).toEqual(['Pines keep needles all winter.']);
  expect(hit?.highlights[0]?.terms?.map((span) => text.slice(span.start, span.end))).toEqual(['Pines', 'winter']);
  expect(memory.metrics.recorded).toEqual(['search hybrid 0']);
});

test('nothing is marked where highlights are not wanted', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines', highlight: false }));
  expect(answer.hits[0]?.highlights).toEqual([]);
});

test('a namespace that nothing was ever stored in has no hits and costs no embedding', async () => {
  const memory = createMemory();
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'anything', namespace: 'empty' }));
  expect(answer.hits).toEqual([]);
  expect(memory.embedder.queries).toEqual([]);
});

test('tenants and namespaces see only their own', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'secret', tenant: 'rival', text: 'The secret recipe.' });
  await memory.store({ documentId: 'secret', namespace: 'other', text: 'The secret garden.' });
  await memory.store({ documentId: 'plain', text: 'Nothing to hide.' });
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'secret recipe' }));
  expect(answer.hits.map((hit) => hit.documentId)).toEqual(['plain']);
});

test('a large half-written version cannot crowd out live text', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'live', text: 'Pines and other trees of the north.' });
  const paragraphs = Array.from({ length: 300 }, () => 'Pines.').join('\n\n');
  await memory.store({ documentId: 'large', text: paragraphs, inFlight: true });
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines', topK: 5 }));
  expect(answer.hits.map((hit) => hit.documentId)).toEqual(['live']);
  expect(answer.degraded).toBeUndefined();
  expect(memory.vectors.queries.at(-1)?.excludeVersions).toEqual(['large@1']);
});

test('chunks of a replaced version that are still in the index are not found', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines are green.' });
  await memory.store({ documentId: 'a', text: 'Pines are tall.' });
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines green' }));
  expect(answer.hits.map((hit) => `${hit.version} ${hit.text}`)).toEqual(['2 Pines are tall.']);
});

test('a document that is replaced during a search is found in one of its versions', async () => {
  const memory = createMemory();
  const key = { tenant: 'acme', namespace: 'default', model: 'terms-1' };
  await memory.store({ documentId: 'a', text: 'Pines are green.' });
  memory.vectors.onQuery = async ({ chunkIds }) => {
    if (chunkIds) return;
    memory.vectors.onQuery = async () => {};
    await memory.store({ documentId: 'a', text: 'Pines are tall.' });
    await memory.vectors.removeDocument(key, 'a', 1);
  };
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines' }));
  expect(answer.hits.map((hit) => hit.text)).toEqual(['Pines are tall.']);
});

test('a document that is replaced while it is read by its chunks is found in its new version', async () => {
  const memory = createMemory();
  const key = { tenant: 'acme', namespace: 'default', model: 'terms-1' };
  const others = Array.from({ length: 100 }, () => 'Oaks.').join('\n\n');
  await memory.store({ documentId: 'others', text: others });
  await memory.store({ documentId: 'a', text: 'Pines are green.', metadata: { kind: 'one' } });
  memory.vectors.onQuery = async ({ chunkIds }) => {
    memory.vectors.onQuery = async () => {};
    expect(chunkIds).toHaveLength(1);
    await memory.store({ documentId: 'a', text: 'Pines are tall.', metadata: { kind: 'one' } });
    await memory.vectors.removeDocument(key, 'a', 1);
  };
  const request = searchFor({ query: 'pines', mode: 'dense', filter: { kind: 'one' } });
  const answer = await search(memory.deps, 'acme', request);
  expect(answer.hits.map((hit) => hit.text)).toEqual(['Pines are tall.']);
});

test('a document deleted from the ledger is gone although its chunks are still in the index', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines are green.' });
  await memory.store({ documentId: 'b', text: 'Pines are tall.' });
  await memory.ledger.removeDocument('acme', 'a');
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines green' }));
  expect(answer.hits.map((hit) => hit.documentId)).toEqual(['b']);
});

test('a new title and new metadata show and filter at once', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines are green.', metadata: { status: 'draft' } });
  await search(memory.deps, 'acme', searchFor({ query: 'pines' }));
  await memory.ledger.patchDocument(
    'acme',
    'a',
    { title: { value: 'New', upToVersion: 9 }, metadata: { value: { status: 'final' }, upToVersion: 9 } },
    '2026-06-01T00:00:00Z',
  );
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines', filter: { status: 'final' } }));
  expect(answer.hits.map((hit) => [hit.title, hit.metadata])).toEqual([['New', { status: 'final' }]]);
  const none = await search(memory.deps, 'acme', searchFor({ query: 'pines', filter: { status: 'draft' } }));
  expect(none.hits).toEqual([]);
});

test('a filter is pushed down to the index up to a thousand documents, and applied here above', async () => {
  const memory = createMemory();
  for (let index = 0; index < 1500; index += 1) {
    const kind = index < 1100 ? 'many' : index < 1120 ? 'few' : index < 1125 ? 'fewest' : 'rest';
    await memory.store({
      documentId: `d${index}`,
      text: kind === 'many' ? 'Pines and oaks.' : 'Pines.',
      metadata: { kind },
    });
  }
  const few = await search(memory.deps, 'acme', searchFor({ query: 'pines', filter: { kind: 'few' }, topK: 20 }));
  expect(few.hits).toHaveLength(20);
  const lastByMeaning = () => memory.vectors.queries.findLast(({ vector }) => vector);
  expect(lastByMeaning()?.documentIds).toHaveLength(20);
  // So few of so many that reading them costs less than a search.
  const fewest = await search(memory.deps, 'acme', searchFor({ query: 'pines', filter: { kind: 'fewest' }, topK: 20 }));
  expect(fewest.hits.map((hit) => hit.metadata.kind)).toEqual(Array(5).fill('fewest'));
  expect(fewest.degraded).toBeUndefined();
  expect(lastByMeaning()?.chunkIds).toHaveLength(5);
  const many = await search(memory.deps, 'acme', searchFor({ query: 'pines', filter: { kind: 'many' }, topK: 5 }));
  expect(lastByMeaning()?.documentIds).toBeUndefined();
  expect(many.hits.map((hit) => hit.metadata.kind)).toEqual(Array(5).fill('many'));
  expect(many.degraded).toBeUndefined();
});

test('where the bound on looked-at chunks is reached, the answer says that it may be incomplete', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'large', text: Array.from({ length: 2100 }, () => 'Pines.').join('\n\n') });
  await memory.store({ documentId: 'small', text: 'Pines and oaks and elms.' });
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines', topK: 2, perDocument: 1 }));
  expect(answer.hits.map((hit) => hit.documentId)).toEqual(['large']);
  expect(answer.degraded).toEqual(['candidates_incomplete']);
  expect(memory.metrics.recorded).toContain('degraded candidates_incomplete');
});

test('minScore is a lower bound of similarity', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.\n\nPines oaks elms limes.\n\nEngines.' });
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines', minScore: 0.5 }));
  expect(answer.hits.map((hit) => hit.text)).toEqual(['Pines.', 'Pines oaks elms limes.']);
  expect(answer.hits.every((hit) => hit.similarity >= 0.5 - 1e-6)).toBe(true);
  const strict = await search(memory.deps, 'acme', searchFor({ query: 'pines', minScore: 0.51 }));
  expect(strict.hits.map((hit) => hit.text)).toEqual(['Pines.']);
});

test('perDocument fetches more until topK is full', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: Array.from({ length: 40 }, () => 'Pines.').join('\n\n') });
  for (const documentId of ['b', 'c']) await memory.store({ documentId, text: `Pines near ${documentId}s.` });
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines', topK: 3, perDocument: 1 }));
  expect(answer.hits.map((hit) => hit.documentId)).toEqual(['a', 'b', 'c']);
});

test.each(['dense', 'hybrid'] as const)(
  'a chunk that the graph of the vector index does not lead to is found by its own text (%s)',
  async (mode) => {
    const memory = createMemory();
    await memory.store({ documentId: 'lost', text: 'The ferry to the island leaves at nine.' });
    await memory.store({ documentId: 'other', text: 'The ferry rests.' });
    const query = memory.vectors.query;
    memory.vectors.query = async (key, wanted) =>
      (await query(key, wanted)).filter(({ documentId }) => documentId !== 'lost');
    const request = searchFor({ query: 'The ferry to the island leaves at nine.', mode });
    const { hits } = await search(memory.deps, 'acme', request);
    expect(hits.map(({ documentId }) => documentId)).toEqual(['lost', 'other']);
    expect(hits[0]?.similarity).toBeCloseTo(1);
  },
);

test('recency halves the score with each half-life', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'old', text: 'Pines.', createdAt: '2026-05-02T00:00:00.000Z' });
  await memory.store({ documentId: 'new', text: 'Pines oaks.', createdAt: '2026-06-01T00:00:00.000Z' });
  const request = { query: 'pines', recency: { halfLifeDays: 30 }, explain: true, mode: 'dense' as const };
  const answer = await search(memory.deps, 'acme', searchFor(request));
  expect(answer.hits.map((hit) => hit.documentId)).toEqual(['new', 'old']);
  expect(answer.hits[1]?.score).toBeCloseTo(0.5, 5);
  expect(answer.hits[1]?.similarity).toBeCloseTo(1, 5);
  expect(answer.hits[1]?.explain).toMatchObject({
    rank: 2,
    recency: { factor: 0.5, ageDays: 30 },
    parts: { dense: expect.closeTo(1, 5), recency: expect.closeTo(-0.5, 5) },
  });
});

test('a long document does not keep others out where few hits of each are wanted, by words alone too', async () => {
  const memory = createMemory();
  const pines = Array.from({ length: 101 }, (_, at) => `Pines, pines ${at}.`);
  await memory.store({ documentId: 'long', text: pines.join('\n\n') });
  for (const documentId of ['a', 'b']) await memory.store({ documentId, text: 'Among oaks and elms there are pines.' });
  const request = searchFor({ query: 'pines', mode: 'lexical', perDocument: 1 });
  const { hits, degraded } = await search(memory.deps, 'acme', request);
  expect([hits.map(({ documentId }) => documentId), degraded]).toEqual([['long', 'a', 'b'], undefined]);
});

test('equal scores are in the order of their documents', async () => {
  const memory = createMemory();
  for (const documentId of ['c', 'a', 'b']) await memory.store({ documentId, text: 'Pines.' });
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines' }));
  const ids = answer.hits.map((hit) => hit.documentId);
  expect(ids).toEqual(ids.toSorted());
  expect(ids).toHaveLength(3);
});

test('what cannot be had yet is said, not dropped in silence', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines', rerank: true }));
  expect(answer.degraded).toEqual(['rerank_unavailable']);
  const plain = { query: 'pines', diversity: 0, rerank: false, neighbours: 0, mode: 'lexical' as const };
  expect((await search(memory.deps, 'acme', searchFor(plain))).degraded).toBeUndefined();
});

test.each([{ mode: 'dense' as const }, { asOf: '2026-05-20T00:00:00Z' }])(
  'however few hits are wanted, a reranker looks at as many as it can (%j)',
  async (how) => {
    const memory = createMemory();
    const texts = ['Pines.', 'Pines and oaks.', 'Pines, oaks and elms.', 'Pines, oaks, elms and birches.'];
    for (const text of texts) await memory.store({ documentId: `d${text.length}`, text });
    const asked: string[][] = [];
    const reranker: Reranker = {
      ...{ depth: 3, weight: 40, suits: () => true },
      rerank: async (_query, passages) => {
        asked.push(passages.map(({ text }) => text));
        return { scores: passages.map(({ text }) => text.length / 100) };
      },
    };
    const request = searchFor({ query: 'pines', topK: 1, rerank: true, ...how });
    // What words would find beside the vector index is looked at too.
    const lexical = { ...memory.lexical, rank: unavailable };
    const { hits } = await search({ ...memory.deps, lexical, reranker }, 'acme', request);
    expect(asked).toEqual([texts.slice(0, 3)]);
    expect(hits.map(({ text }) => text)).toEqual([texts[2]]);
  },
);

test('asOf beyond the time that versions are kept is refused', async () => {
  const memory = createMemory();
  const request = searchFor({ query: 'pines', asOf: '2026-01-01T00:00:00Z' });
  await expect(search(memory.deps, 'acme', request)).rejects.toMatchObject({ code: 'unprocessable' });
});

const unavailable = () => Promise.reject(new MemoryError('dependency_unavailable', 'away'));

test.each(['hybrid', 'dense', 'lexical'] as const)(
  'without the embedder words answer, and it is said (%s)',
  async (mode) => {
    const memory = createMemory();
    await memory.store({ documentId: 'a', text: 'Pines.\n\nOaks.' });
    memory.embedder.away = true;
    const request = searchFor({ query: 'pines', mode, minScore: 0.9 });
    for (const deps of [memory.deps, { ...memory.deps, embedderFor: () => undefined }]) {
      const answer = await search(deps, 'acme', request);
      expect(answer).toMatchObject({ mode: 'lexical', degraded: ['embedder_unavailable', 'min_score_ignored'] });
      expect(answer.hits.map((hit) => hit.text)).toEqual(['Pines.']);
    }
  },
);

test.each(['hybrid', 'dense', 'lexical'] as const)(
  'without the vector index words answer from the blob store, with exact similarities (%s)',
  async (mode) => {
    const memory = createMemory();
    await memory.store({ documentId: 'a', title: 'Trees', text: 'Pines.\n\nPines and oaks.\n\nCars.' });
    const whole = await search(memory.deps, 'acme', searchFor({ query: 'pines', mode: 'lexical' }));
    memory.vectors.onQuery = unavailable;
    const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines', mode }));
    expect(answer.mode).toBe('lexical');
    if (mode !== 'lexical') expect(answer.degraded).toEqual(['vector_index_unavailable']);
    expect(answer.hits).toEqual(
      whole.hits.map((hit) => ({
        ...hit,
        similarity: expect.closeTo(hit.similarity, 5),
        score: expect.closeTo(hit.score, 5),
      })),
    );
    const bounded = await search(memory.deps, 'acme', searchFor({ query: 'pines', mode, minScore: 0.99 }));
    expect(bounded.hits.map((hit) => hit.text)).toEqual(['Pines.']);
  },
);

test('without the postings meaning answers, and it is said', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  const deps = { ...memory.deps, lexical: { ...memory.lexical, rank: unavailable } };
  const answer = await search(deps, 'acme', searchFor({ query: 'pines' }));
  expect(answer).toMatchObject({ mode: 'dense', degraded: ['lexical_index_unavailable'], hits: [{ text: 'Pines.' }] });
  memory.vectors.onQuery = unavailable;
  const both = search(deps, 'acme', searchFor({ query: 'pines' }));
  await expect(both).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test('while postings are being brought back the answer says so', async () => {
  const memory = createMemory();
  for (const documentId of ['a', 'b']) await memory.store({ documentId, text: 'Pines.' });
  memory.lexical.deactivate({ tenant: 'acme', namespace: 'default' }, 'b');
  for (const mode of ['hybrid', 'lexical'] as const) {
    const answer = await search(memory.deps, 'acme', searchFor({ query: 'pines', mode }));
    expect(answer).toMatchObject({ mode, degraded: ['index_rebuilding'] });
  }
});

test('where words find more chunks of one document than are looked at, the answer says that there may be others', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'large', text: Array.from({ length: 2000 }, () => 'Pines.').join('\n\n') });
  await memory.store({ documentId: 'small', text: 'Pines and oaks and many other trees of the north.' });
  const ask = (more: object) => search(memory.deps, 'acme', searchFor({ query: 'pines', mode: 'lexical', ...more }));
  expect((await ask({ perDocument: 1, topK: 2 })).degraded).toEqual(['candidates_incomplete']);
  expect((await ask({ topK: 100 })).degraded).toBeUndefined();
  memory.vectors.onQuery = unavailable;
  const all = await ask({ topK: 100 });
  expect([all.hits.length, all.degraded]).toEqual([100, undefined]);
});

test('a word that only one document has lifts it over what merely means the same', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'near', text: 'Pines pines needles.' });
  await memory.store({
    documentId: 'exact',
    text: 'The invoice INV-2026-00417 names pines, oaks, needles and other trees.',
  });
  const query = 'pines INV-2026-00417';
  const words = await search(memory.deps, 'acme', searchFor({ query, mode: 'lexical' }));
  expect(words.hits[0]?.documentId).toBe('exact');
  const hybrid = await search(memory.deps, 'acme', searchFor({ query, explain: true }));
  expect(hybrid.hits.map((hit) => hit.documentId).sort()).toEqual(['exact', 'near']);
  expect(hybrid.hits[0]?.explain?.lexical?.score).toBeGreaterThan(0);
});

test('what words find obeys filter, versions, namespaces and perDocument', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines once.\n\nPines twice.', metadata: { lang: 'en' } });
  await memory.store({ documentId: 'b', text: 'Pines.', metadata: { lang: 'de' } });
  await memory.store({ documentId: 'c', namespace: 'other', text: 'Pines.' });
  await memory.store({ documentId: 'd', text: 'Pines.', inFlight: true });
  await memory.store({ documentId: 'e', text: 'Pines.' });
  await memory.store({ documentId: 'e', text: 'Oaks.' });
  const find = async (more: object) => {
    const { hits } = await search(memory.deps, 'acme', searchFor({ query: 'pines', mode: 'lexical', ...more }));
    return hits.map((hit) => hit.documentId).sort();
  };
  expect(await find({})).toEqual(['a', 'a', 'b']);
  expect(await find({ filter: { lang: 'de' } })).toEqual(['b']);
  expect(await find({ perDocument: 1 })).toEqual(['a', 'b']);
  expect(await find({ namespace: 'other' })).toEqual(['c']);
});

test('a search that was cancelled ends before it asks the index', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  const request = searchFor({ query: 'pines' });
  await expect(search(memory.deps, 'acme', request, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  expect(memory.vectors.queries).toEqual([]);
});
