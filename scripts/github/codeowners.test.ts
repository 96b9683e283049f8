import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { teamCalls } from './calls.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The lines of CODEOWNERS: a pattern and its owners. */
async function owned(): Promise<{ pattern: string; owners: string[] }[]> {
  const text = await readFile(`${root}/.github/CODEOWNERS`, 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [pattern = '', ...owners] = line.split(/\s+/);
    return { pattern, owners };
  });
}

test('every path in CODEOWNERS is there, and the folders that must have owners have them', async () => {
  const files = String(execFileSync('git', ['ls-files'], { cwd: root })).split('\n');
  const lines = await owned();
  for (const { pattern } of lines.filter(({ pattern }) => pattern !== '*')) {
    const path = pattern.replace(/^\//, '');
    const isThere = files.some((file) => (path.endsWith('/') ? file.startsWith(path) : file === path));
    expect([pattern, isThere]).toEqual([pattern, true]);
  }
  const patterns = lines.map(({ pattern }) => pattern);
  expect(patterns).toEqual(expect.arrayContaining(['/apps/', '/packages/', '/helm/', '/docs/', '/.github/']));
});

test('every owner is one of the teams that setup-github.sh makes', async () => {
  const made = teamCalls('semantic-memory/semantic-memory').map(
    ({ args }) => /teams\/(\w+)\/repos/.exec(args.join(' '))?.[1],
  );
  const teams = made.filter((team) => team !== undefined).map((team) => `@semantic-memory/${team}`);
  const lines = await owned();
  expect(new Set(lines.flatMap(({ owners }) => owners))).toEqual(new Set(teams));
  expect(lines.every(({ owners }) => owners.length > 0)).toBe(true);
});
