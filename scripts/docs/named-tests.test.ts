import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Rows of a table whose last two columns are a file with tests and the name of one of them. */
async function namedTests(page: string): Promise<{ row: string; file: string; name: string }[]> {
  const text = await readFile(join(root, page), 'utf8');
  return [...text.matchAll(/^\|.*\| `([^`]+\.ts)` +\| (.+?) +\|$/gm)].map(([row, file = '', name = '']) => ({
    row,
    file,
    name,
  }));
}

test.each([
  ['docs/reliability.md', 40],
  ['docs/threat-model.md', 40],
])('each test that %s names is where it says', async (page, atLeast) => {
  const named = await namedTests(page);
  expect(named.length).toBeGreaterThanOrEqual(atLeast);
  const absent: string[] = [];
  for (const { file, name } of named) {
    if (!(await readFile(join(root, file), 'utf8')).includes(name)) absent.push(`${file}: ${name}`);
  }
  expect(absent).toEqual([]);
});

test('the threat model has every kind of threat, and every row of it a test', async () => {
  const rows = (await readFile(join(root, 'docs/threat-model.md'), 'utf8')).match(/^\| [STRIDE] .*$/gm) ?? [];
  expect([...new Set(rows.map((row) => row[2]))].sort()).toEqual([...'DEIRST']);
  expect(await namedTests('docs/threat-model.md')).toHaveLength(rows.length);
});
