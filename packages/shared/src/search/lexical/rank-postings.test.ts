import { expect, test } from '@jest/globals';
import type { Postings } from '../../ports/lexical-index.ts';
import { rangesOf, rankingOf, rankPostings } from './rank-postings.ts';

/** Documents of two chunks each, one after the other. */
const rangeOf = (documentId: string) => ({ base: Number(documentId) * 2, count: 2, version: 1 });
const named = (...numbers: number[]) => new Set(numbers.map(String));

/** Two chunks, one document each, of which the first has the word. */
const postings: Postings = {
  ...{ count: 2, totalLength: 2, whole: true, lengths: Uint16Array.of(1, 1), lists: [Uint32Array.of(1)] },
  addressOf: (ordinal) => ({ documentId: String(ordinal), version: 1, index: 0 }),
  rangeOf: (documentId) => ({ base: Number(documentId), count: 1, version: 1 }),
};
const terms = [{ term: 'ssea', weight: 1, common: false }];

test('chunks of documents that lie beside each other are one range, those of documents that are gone none', async () => {
  const known = (documentId: string) => (documentId === '7' ? undefined : rangeOf(documentId));
  expect([...(await rangesOf({ rangeOf: known }, named(9, 3, 4, 7, 1)))]).toEqual([2, 4, 6, 10, 18, 20]);
});

test('very many documents are looked up with room for other work in between', async () => {
  let others = 0;
  const turn = () => {
    others += 1;
    handle = setImmediate(turn);
  };
  let handle = setImmediate(turn);
  const ranges = await rangesOf({ rangeOf }, named(...Array(9000).keys()));
  clearImmediate(handle);
  expect([...ranges]).toEqual([0, 18_000]);
  expect(others).toBeGreaterThan(0);
});

test('a required term that the query does not have is in no chunk', async () => {
  const hitsOf = async (required: string[]) => (await rankPostings(postings, { terms, limit: 5, required })).hits;
  expect(await hitsOf(['ssea'])).toHaveLength(1);
  expect(await hitsOf(['ssun'])).toEqual([]);
});

test('a chunk whose place is not known any more is left out', () => {
  const addressOf = (ordinal: number) => (ordinal === 1 ? undefined : postings.addressOf(ordinal));
  const found = { frequencies: [2], ordinals: [1, 0], scores: [2, 1] };
  expect(rankingOf({ ...postings, addressOf }, found).hits).toEqual([
    { documentId: '0', version: 1, index: 0, score: 1 },
  ]);
});
