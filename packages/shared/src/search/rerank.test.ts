import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { SearchRequest } from '../contracts/model/search.ts';
import type { Reranker } from '../ports/reranker.ts';
import type { Candidate } from './rank.ts';
import { rerank } from './rerank.ts';

const query = { tenant: 'acme', model: 'm', text: 'pines' };
const request = (more: object = {}) => SearchRequest.parse({ query: 'pines', ...more });

function candidate(name: string, relevance: number, chunks = 2, similarity = 0.5): Candidate {
  const row = { documentId: name, title: name, chunks } as unknown as Candidate['row'];
  return {
    ...{ chunkId: name, documentId: name, version: 1, index: 0, text: name, headings: [], start: 0, end: 1 },
    ...{ similarity, relevance, row },
  };
}

function rerankerOf(scores: Record<string, number | undefined>, more: Partial<Reranker> = {}) {
  const asked: string[][] = [];
  const reranker: Reranker = {
    depth: 3,
    weight: 4,
    suits: () => true,
    rerank: async (_query, passages) => {
      asked.push(passages.map(({ text }) => text));
      return { scores: passages.map(({ text }) => scores[text]) };
    },
    ...more,
  };
  return { reranker, asked };
}

const relevances = (candidates: readonly Candidate[]) =>
  Object.fromEntries(candidates.map(({ chunkId, relevance }) => [chunkId, relevance]));
const four = [candidate('a', 4), candidate('b', 3), candidate('c', 2), candidate('d', 1)];

test('adds what the reranker says to the best, and says what it said', async () => {
  const { reranker, asked } = rerankerOf({ a: 0.1, b: 0.5, c: 0.2 });
  const { candidates, degraded } = await rerank(reranker, query, four.toReversed(), request());
  expect(asked).toEqual([['a', 'b', 'c']]);
  expect(relevances(candidates)).toEqual({ a: 4.4, b: 5, c: 2.8, d: 1 });
  expect(candidates.find(({ chunkId }) => chunkId === 'b')?.rerank).toBe(0.5);
  expect(degraded).toEqual([]);
});

test('looks only at what can be shown', async () => {
  const { reranker, asked } = rerankerOf({ b: 0.5 });
  const candidates = [candidate('a', 4, 2, 0.2), candidate('b', 3, 2, 0.9)];
  await rerank(reranker, query, candidates, request({ minScore: 0.5 }));
  expect(asked).toEqual([['b']]);
});

test('a passage without a score gets the mean of the others, and that is said', async () => {
  const { reranker } = rerankerOf({ a: 0.2, c: 0.4 });
  const { candidates, degraded } = await rerank(reranker, query, four, request());
  expect(relevances(candidates).b).toBeCloseTo(3 + 4 * 0.3);
  expect(candidates[1]?.rerank).toBeUndefined();
  expect(degraded).toEqual(['rerank_skipped']);
});

test('where most have no score all stays as it was, and that is said', async () => {
  const { reranker } = rerankerOf({ c: 1 });
  expect(await rerank(reranker, query, four, request())).toEqual({ candidates: four, degraded: ['rerank_skipped'] });
});

test('is left out where the request says so, and nothing is said', async () => {
  const { reranker, asked } = rerankerOf({ a: 1, b: 1, c: 1 });
  expect(await rerank(reranker, query, four, request({ rerank: false }))).toEqual({ candidates: four, degraded: [] });
  expect(asked).toEqual([]);
});

test('is missed only by who asked for it', async () => {
  const { reranker } = rerankerOf({}, { suits: () => false });
  for (const none of [undefined, reranker]) {
    expect((await rerank(none, query, four, request())).degraded).toEqual([]);
    expect((await rerank(none, query, four, request({ rerank: true }))).degraded).toEqual(['rerank_unavailable']);
  }
});

test('a reranker that is away costs the reranking and no more; what it breaks with otherwise is thrown', async () => {
  const failing = (error: Error) => rerankerOf({}, { rerank: () => Promise.reject(error) }).reranker;
  const away = failing(new MemoryError('dependency_unavailable', 'away'));
  expect(await rerank(away, query, four, request())).toEqual({ candidates: four, degraded: ['rerank_unavailable'] });
  await expect(rerank(failing(new Error('ours')), query, four, request())).rejects.toThrow('ours');
});

test('whole documents are lifted by better neighbours, chunks of longer ones are not and lift nobody', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const { reranker } = rerankerOf(
    {},
    {
      depth: 10,
      rerank: async (_query, passages) => ({
        scores: passages.map(() => 0),
        directions: passages.map(() => Int8Array.of(1, 0)),
      }),
    },
  );
  const whole = names.map((name, at) => candidate(name, at === 0 ? 4 : 1, 1));
  const chunk = candidate('long', 9, 7);
  const { candidates } = await rerank(reranker, query, [...whole, chunk], request());
  expect(relevances(candidates)).toEqual({
    a: 4,
    ...{ b: expect.closeTo(1.4), c: expect.closeTo(1.4), d: expect.closeTo(1.4) },
    long: 9,
  });
});

test('where nothing can be shown nothing is looked at', async () => {
  const { reranker, asked } = rerankerOf({ a: 1 });
  const found = await rerank(reranker, query, four, request({ minScore: 0.9 }));
  expect([found, asked]).toEqual([{ candidates: four, degraded: [] }, []]);
});
