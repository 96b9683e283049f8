import { expect, test } from '@jest/globals';
import { createPathFilter } from './path-filter.ts';

test.each([
  [undefined, undefined, 'src/a.ts', true],
  [['*.md'], undefined, 'docs/deep/readme.md', true],
  [['*.md'], undefined, 'src/a.ts', false],
  [['docs/**'], undefined, 'docs/a/b.txt', true],
  [['docs/'], undefined, 'docs/a/b.txt', true],
  [['docs/*.md'], undefined, 'docs/a/b.md', false],
  [['/docs/*.md'], undefined, 'docs/b.md', true],
  [undefined, ['*.png'], 'img/logo.png', false],
  [['docs/**'], ['docs/private/**'], 'docs/private/x.md', false],
  [['docs/**'], ['docs/private/**'], 'docs/public/x.md', true],
])('include %j and exclude %j: %s is wanted: %s', (include, exclude, path, wanted) => {
  expect(createPathFilter(include, exclude)(path)).toBe(wanted);
});
