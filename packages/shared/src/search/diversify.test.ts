import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { chunksKey } from '../ingest/stored/blob-keys.ts';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { maximalMarginalRelevance } from './diversify.ts';
import type { RankedCandidate } from './rank.ts';
import { search } from './search.ts';

const candidate = (chunkId: string, score: number) => ({ chunkId, score }) as RankedCandidate;

function randomPool(random: () => number) {
  const scores = Array.from({ length: 30 }, () => random() * 5).sort((a, b) => b - a);
  const pool = scores.map((score, at) => candidate(`c${at}`, score));
  return { pool, vectors: pool.map(() => Float32Array.from({ length: 8 }, () => random() - 0.3)) };
}

test('without diversity the order and the scores are those of the ranking', () => {
  const { pool, vectors } = randomPool(seededRandom(1));
  const chosen = maximalMarginalRelevance(pool, vectors, { topK: 30, diversity: 0 });
  expect(chosen.map(({ chunkId, score }) => [chunkId, score])).toEqual(
    pool.map(({ chunkId, score }) => [chunkId, score]),
  );
});

test('each choice is the best by the formula, and scores never rise', () => {
  const random = seededRandom(2);
  const cosine = (a: Float32Array, b: Float32Array) =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0) / (Math.hypot(...a) * Math.hypot(...b));
  for (let run = 0; run < 20; run += 1) {
    const { pool, vectors } = randomPool(random);
    const diversity = random();
    const range = (pool[0]?.score ?? 0) - (pool.at(-1)?.score ?? 0);
    const chosen = maximalMarginalRelevance(pool, vectors, { topK: 10, diversity });
    const taken: number[] = [];
    for (const { chunkId, score } of chosen) {
      const value = (at: number) => {
        const likest = Math.max(0, ...taken.map((other) => cosine(vectors[at]!, vectors[other]!)));
        return (1 - diversity) * (pool[at]?.score ?? 0) - diversity * range * likest;
      };
      const left = [...pool.keys()].filter((at) => !taken.includes(at));
      expect(score).toBeCloseTo(Math.max(...left.map(value)), 5);
      taken.push(Number(chunkId.slice(1)));
    }
    const scores = chosen.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  }
});

test('where all are equally good, copies come last', () => {
  const vectors = [
    [1, 0],
    [1, 0],
    [0, 1],
  ].map((values) => Float32Array.from(values));
  const pool = ['a', 'copy', 'b'].map((id) => candidate(id, 1));
  const chosen = maximalMarginalRelevance(pool, vectors, { topK: 3, diversity: 0.5 });
  expect(chosen.map(({ chunkId }) => chunkId)).toEqual(['a', 'b', 'copy']);
  expect(chosen[2]?.likest).toEqual({ chunkId: 'a', similarity: 1 });
});

test.each(['hybrid', 'dense', 'lexical'] as const)(
  'a search says less of the same where asked to (%s)',
  async (mode) => {
    const memory = createMemory();
    for (const id of ['a', 'b', 'c']) await memory.store({ documentId: id, text: 'Pines of the north.' });
    await memory.store({ documentId: 'other', text: 'Pines, needles, resin, cones, bark, roots and seeds.' });
    const find = async (diversity: number) =>
      (await search(memory.deps, 'acme', searchFor({ query: 'pines north', mode, topK: 2, diversity }))).hits.map(
        (hit) => hit.documentId,
      );
    const plain = await search(memory.deps, 'acme', searchFor({ query: 'pines north', mode, topK: 2 }));
    expect(await find(0)).toEqual(plain.hits.map((hit) => hit.documentId));
    expect(await find(0)).not.toContain('other');
    expect((await find(0.7))[1]).toBe('other');
  },
);

test('vectors are fetched only where diversity asks, and from the blob store where the index is away', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.\n\nPines.\n\nPines and oaks and elms.' });
  let fetched = 0;
  const { vectorsOf } = memory.vectors;
  memory.vectors.vectorsOf = (...call) => {
    fetched += 1;
    return vectorsOf(...call);
  };
  const find = (diversity: number) => search(memory.deps, 'acme', searchFor({ query: 'pines', topK: 2, diversity }));
  await find(0);
  expect(fetched).toBe(0);
  const whole = await find(0.8);
  expect([fetched, whole.degraded]).toEqual([1, undefined]);
  const away = async () => {
    throw new MemoryError('dependency_unavailable', 'away');
  };
  memory.vectors.vectorsOf = away;
  expect((await find(0.8)).hits.map((hit) => hit.text)).toEqual(whole.hits.map((hit) => hit.text));
  for await (const key of memory.deps.blobs.list('tenants/')) await memory.deps.blobs.remove(key);
  const without = await find(0.8);
  expect([without.hits.length, without.degraded]).toEqual([2, ['diversity_unavailable']]);
});

test('a document whose vectors cannot be read costs the diversity, not the search', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'Pines.' });
  await memory.store({ documentId: 'b', text: 'Pines and oaks.' });
  memory.vectors.vectorsOf = async () => new Map();
  const ask = () => search(memory.deps, 'acme', searchFor({ query: 'pines', diversity: 0.5 }));
  expect((await ask()).degraded).toBeUndefined();
  await memory.blobs.put(chunksKey({ tenant: 'acme', documentId: 'b', version: 1 }), new TextEncoder().encode('{"'));
  const { hits, degraded } = await ask();
  expect([hits.map((hit) => hit.documentId), degraded]).toEqual([['a', 'b'], ['diversity_unavailable']]);
});
