import { expect, test } from '@jest/globals';
import { isStale, keptOf, liveOrdinals, newClaim } from './live-ordinals.ts';

test('what is active is live, and what was claimed up to the next range that is known', () => {
  const lengths = Uint16Array.of(3, 0, 0, 5, 0, 0, 0, 9);
  expect([...liveOrdinals(10, lengths, [])]).toEqual([1, 0, 0, 1, 0, 0, 0, 1, 0, 0]);
  expect([...liveOrdinals(10, lengths, [2, 5, 9])]).toEqual([1, 0, 1, 1, 0, 1, 1, 1, 0, 1]);
  // Two claims side by side, of one group.
  expect([...liveOrdinals(10, lengths, [4, 6])]).toEqual([1, 0, 0, 1, 1, 1, 1, 1, 0, 0]);
  expect([...liveOrdinals(2, lengths, [1, 5])]).toEqual([1, 1]);
});

test('of postings the live ones and those of later chunks stay, in their order', () => {
  const postings = Uint32Array.from([7, 0, 3, 1, 12].map((ordinal) => ordinal * 32 + 2));
  const kept = keptOf(postings, liveOrdinals(10, Uint16Array.of(3, 0, 0, 5), []));
  expect([...kept].map((posting) => posting >>> 5)).toEqual([0, 3, 12]);
});

test('a claim is stale after an hour, and one without a date is of an older release', () => {
  const claim = newClaim('a-b_c', 1_000_000);
  expect([isStale(claim, 1_000_000), isStale(claim, 4_500_000), isStale(claim, 4_700_000)]).toEqual([
    false,
    false,
    true,
  ]);
  expect(isStale('a-b_c', 0)).toBe(true);
});
