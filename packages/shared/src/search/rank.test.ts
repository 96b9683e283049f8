import { expect, test } from '@jest/globals';
import { SearchRequest } from '../contracts/model/search.ts';
import { type Candidate, rank } from './rank.ts';

const candidate = (documentId: string, index: number, text: string, similarity: number): Candidate => ({
  ...{ chunkId: `${99 - index}`, documentId, version: 1, index, text, similarity, headings: [], start: 0, end: 1 },
  row: {
    ...{ documentId, activeVersion: 1, title: '', metadata: {}, mediaType: 'text/plain', chunks: 9 },
    createdAt: '2026-01-01T00:00:00.000Z',
  },
});
const request = SearchRequest.parse({ query: 'q' });
const places = (found: readonly Candidate[]) => found.map(({ documentId, index }) => `${documentId}#${index}`);

test('of copies of a text, whose vectors are a little apart, the first one in its document comes first', () => {
  const copies = [
    candidate('d', 7, 'Notice.', 0.80001),
    candidate('d', 3, 'Notice.', 0.80002),
    candidate('d', 1, 'Notice.', 0.8),
  ];
  const ranked = rank([...copies, candidate('d', 9, 'Better.', 0.9), candidate('d', 0, 'Other.', 0.80001)], request, 0);
  expect(places(ranked)).toEqual(['d#9', 'd#1', 'd#3', 'd#7', 'd#0']);
  expect(ranked.map(({ score }) => score)).toEqual([0.9, 0.80002, 0.80002, 0.80002, 0.80001]);
});

test('copies that differ by more than chance, under another title or heading, keep their order', () => {
  const ranked = rank([candidate('a', 0, 'Notice.', 0.7), candidate('b', 4, 'Notice.', 0.8)], request, 0);
  expect(places(ranked)).toEqual(['b#4', 'a#0']);
});

test('the parts of a score still add up to it', () => {
  const fused = (index: number, dense: number): Candidate => ({
    ...candidate('d', index, 'Notice.', dense / 4),
    relevance: 1 + dense,
    parts: { lexical: 1, dense },
  });
  for (const { score, parts = {} } of rank([fused(2, 3.2001), fused(1, 3.2)], request, 0))
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(score, 9);
});
