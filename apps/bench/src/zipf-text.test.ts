import { expect, test } from '@jest/globals';
import { createRandom } from './seeded-text.ts';
import { wordOfRank, zipfText, zipfWord } from './zipf-text.ts';

test('every rank has a word of its own', () => {
  expect(new Set(Array.from({ length: 60_000 }, (_, rank) => wordOfRank(rank))).size).toBe(60_000);
});

test('words come as often as their rank says, and the same for the same seed', () => {
  const random = createRandom(1);
  const counts = new Map<string, number>();
  for (let at = 0; at < 100_000; at += 1) {
    const word = zipfWord(random);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const often = (rank: number) => counts.get(wordOfRank(rank)) ?? 0;
  // 1 / 2.7 against 1 / 12.7.
  expect(often(0) / often(10)).toBeCloseTo(12.7 / 2.7, 0);
  expect(counts.size).toBeGreaterThan(15_000);
  expect(zipfText(createRandom(2), 30)).toBe(zipfText(createRandom(2), 30));
  expect(zipfText(createRandom(2), 30).split(' ')).toHaveLength(30);
});
