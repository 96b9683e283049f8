import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('every line of the launch checklist names a command that is there', async () => {
  const makefile = await readFile(`${root}/Makefile`, 'utf8');
  const rows = (await readFile(`${root}/docs/audit.md`, 'utf8'))
    .split('\n')
    .filter((line) => /^\| (?!what|-)/.test(line));
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    const command = /\| `([^`]+)` +\|$/.exec(row)?.[1] ?? '';
    const [program, ...rest] = command.split(' ');
    if (program === 'make') expect([row, makefile.includes(`\n${rest[0]}:`)]).toEqual([row, true]);
    else {
      const paths = command.split(' ').filter((part) => part.includes('/') && !part.startsWith('OWNER'));
      expect([row, paths.length > 0]).toEqual([row, true]);
      for (const path of paths) await access(`${root}/${path}`);
    }
  }
});
