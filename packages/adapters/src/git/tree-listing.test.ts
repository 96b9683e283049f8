import { expect, test } from '@jest/globals';
import { readTree } from './tree-listing.ts';

test('links, submodules and paths that are not UTF-8 are left out', () => {
  const id = 'a'.repeat(40);
  const entry = (mode: string, size: string, path: Buffer) =>
    Buffer.concat([Buffer.from(`${mode} blob ${id} ${size}\t`), path, Buffer.of(0)]);
  const listing = Buffer.concat([
    entry('100644', '      7', Buffer.from('docs/ü.md')),
    entry('120000', '      9', Buffer.from('link')),
    entry('160000', '      -', Buffer.from('sub')),
    entry('100644', '      5', Buffer.of(0x66, 0xff, 0x6f)),
    entry('100755', '   1200', Buffer.from('run.sh')),
  ]);
  expect(readTree(listing)).toEqual([
    { path: 'docs/ü.md', bytes: 7 },
    { path: 'run.sh', bytes: 1200 },
  ]);
});
