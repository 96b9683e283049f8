import { expect, test } from '@jest/globals';
import { parseGlob } from './glob.ts';

test.each([
  ['*.md', 'readme.md', true],
  ['*.md', 'docs/readme.md', false],
  ['*.md', '.hidden.md', true],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['?', '潮', true],
  ['?', '🌊', true],
  ['docs/**', 'docs/a/b.txt', true],
  ['docs/**', 'docsa', false],
  ['docs/**/*.md', 'docs/a.md', true],
  ['docs/**/*.md', 'docs/x/y/a.md', true],
  ['docs/**/*.md', 'docs/x/y/a.txt', false],
  ['**/test/*.ts', 'test/a.ts', true],
  ['**/test/*.ts', 'src/test/a.ts', true],
  ['**/test/*.ts', 'src/mytest/a.ts', false],
  ['**', 'a/b/c', true],
  ['a**b', 'axxb', true],
  ['**b', 'axxb', true],
  ['**b', 'ax/xb', false],
  ['{a/**,c}/d', 'a/b/d', true],
  ['a**b', 'ax/xb', false],
  ['*.{md,txt}', 'a.txt', true],
  ['*.{md,txt}', 'a.html', false],
  ['{src,docs/{a,b}}/*', 'docs/b/x', true],
  ['{src,docs/{a,b}}/*', 'docs/c/x', false],
  ['{a,**}/x', 'b/c/x', true],
  ['a{b', 'a{b', true],
  ['a{b}', 'a{b}', true],
  ['a.c', 'abc', false],
  ['[ab].c', 'a.c', false],
  ['(a|b)+', '(a|b)+', true],
  ['', '', true],
])('%s fits %s: %s', (pattern, path, fits) => {
  expect(parseGlob(pattern)(path)).toBe(fits);
});

// A matcher that tries one way after the other takes longer over these than anybody waits.
test.each([
  ['stars', '*a'.repeat(249), 'a'.repeat(250)],
  ['folders', '**/a/'.repeat(99), 'a/'.repeat(125)],
  ['choices', '{a,b}'.repeat(100), 'ab'.repeat(50)],
  ['choices within choices', `${'{a,'.repeat(124)}b${'}'.repeat(124)}`, 'b'],
])('a pattern of many %s is told from a path that nearly fits', (_name, pattern, path) => {
  expect(parseGlob(pattern)(`${path}!`)).toBe(false);
});
