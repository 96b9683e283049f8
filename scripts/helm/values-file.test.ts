import { expect, test } from '@jest/globals';
import { commentedExamples, keysWithoutComment } from './values-file.ts';

test('a key with a comment of its own is described, however deep it is', () => {
  expect(keysWithoutComment('# -- The first.\na:\n  # -- The second,\n  # on two lines.\n  b: 1\n')).toEqual([]);
});

test('a key without a comment is named, with its line', () => {
  expect(keysWithoutComment('# -- The first.\na:\n  b:\n    # -- The third.\n    c: 1\n')).toEqual([
    { path: 'a.b', line: 3 },
  ]);
});

test('a comment that is not for helm-docs, or that another key stands below, does not count', () => {
  expect(keysWithoutComment('# The first.\na: 1\n# -- The second.\nb: 1\nc: 1\n')).toEqual([
    { path: 'a', line: 2 },
    { path: 'c', line: 5 },
  ]);
});

test('keys in flow style have no comment', () => {
  expect(keysWithoutComment('# -- The first.\na: { b: 1 }\n')).toEqual([{ path: 'a.b', line: 2 }]);
});

test('examples are read out of comments, prose is not', () => {
  const text =
    '# Some words.\n#\n# a:\n#   b: 1\n#\n# More: words, not values.\n#\n# c:\n#   - 2\n\n# -- The key.\na: {}\n';
  expect(commentedExamples(text)).toEqual([{ a: { b: 1 } }, { c: [2] }]);
});
