import { expect, test } from '@jest/globals';
import { tiers } from '@semantic-memory/shared/contracts/jobs';
import { concurrencyOf, guestPlacesOf, indexGroupOf } from './concurrency.ts';

test('every tier takes jobs; of OCR as many as there are processes for it', () => {
  for (const tier of tiers) expect(concurrencyOf(tier, { ocrProcesses: 3 })).toBeGreaterThan(0);
  expect(concurrencyOf('ocr', { ocrProcesses: 3 })).toBe(3);
});

test('a process gathers for the index no more documents than it can have in hand', () => {
  const inHand = (tier: 'embed' | 'index') => concurrencyOf(tier, { ocrProcesses: 1 });
  expect(indexGroupOf(['parse', 'embed', 'index'])).toBeLessThanOrEqual(inHand('embed'));
  expect(indexGroupOf(['index'])).toBeLessThanOrEqual(inHand('index'));
  expect(indexGroupOf(['index'])).toBeGreaterThan(indexGroupOf(['embed', 'index']));
});

test('places for guests are where jobs end in groups, and nowhere else', () => {
  expect(tiers.filter((tier) => guestPlacesOf(tier) > 0)).toEqual(['embed']);
});
