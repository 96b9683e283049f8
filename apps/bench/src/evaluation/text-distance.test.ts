import { expect, test } from '@jest/globals';
import { editDistance, wordsFound } from './text-distance.ts';

test('the distance counts what must be inserted, deleted and replaced', () => {
  expect(editDistance([...'kitten'], [...'sitting'])).toBe(3);
  expect(editDistance([...'abc'], [])).toBe(3);
  expect(editDistance([], [...'abc'])).toBe(3);
  expect(editDistance(['the', 'tide', 'rises'], ['the', 'rises', 'twice'])).toBe(2);
  expect(editDistance([...'same'], [...'same'])).toBe(0);
});

test('a word is found as often as it is there', () => {
  expect(wordsFound(['a', 'a', 'b', 'c'], ['c', 'a', 'x'])).toBe(2);
});
