import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('..', import.meta.url));

test('each test that docs/reliability.md names is where it says', async () => {
  const page = await readFile(join(root, 'docs/reliability.md'), 'utf8');
  const rows = [...page.matchAll(/^\|[^|]*\| `([^`]+\.test\.ts)` +\| (.+?) +\|$/gm)];
  expect(rows.length).toBeGreaterThan(40);
  const absent: string[] = [];
  for (const [, file = '', name = ''] of rows) {
    if (!(await readFile(join(root, file), 'utf8')).includes(name)) absent.push(`${file}: ${name}`);
  }
  expect(absent).toEqual([]);
});
