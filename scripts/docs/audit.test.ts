import { spawnSync } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { repositoryFiles, repository as root } from './repository-files.ts';

const rows = (await readFile(`${root}/docs/audit.md`, 'utf8'))
  .split('\n')
  .filter((line) => /^\| (?!what|-)/.test(line))
  .map((row) => ({ row, command: /\| `([^`]+)` +\|$/.exec(row)?.[1] ?? '' }));
const commandsOf = (start: string) => rows.filter(({ command }) => command.startsWith(start));

test('every line of the launch checklist has a command that is there', async () => {
  expect(rows.length).toBeGreaterThan(35);
  for (const { row, command } of rows) {
    const paths = command.split(' ').filter((part) => /^(scripts|apps|packages)\//.test(part));
    expect([row, command.startsWith('make ') || paths.length > 0]).toEqual([row, true]);
    for (const path of paths) await access(`${root}/${path}`);
  }
});

test('what is made is a target that says what it does', async () => {
  const makefile = await readFile(`${root}/Makefile`, 'utf8');
  for (const { row, command } of commandsOf('make ')) {
    const target = command.split(' ')[1];
    expect([row, new RegExp(`^${target}:.*## \\S`, 'm').test(makefile)]).toEqual([row, true]);
  }
});

test('what is tested has tests', () => {
  const tests = repositoryFiles().filter((file) => file.endsWith('.test.ts'));
  const tested = commandsOf('bash scripts/jest.sh ');
  expect(tested.length).toBeGreaterThan(15);
  for (const { row, command } of tested) {
    for (const path of command.split(' ').slice(2)) {
      expect([row, tests.some((file) => file.startsWith(path))]).toEqual([row, true]);
    }
  }
});

test('options of scripts are options that the script knows', async () => {
  const withOptions = rows.filter(({ command }) => /^(?:node .*)?scripts\/\S+ .*--/.test(command));
  expect(withOptions.length).toBeGreaterThan(3);
  for (const { row, command } of withOptions) {
    const [script = ''] = /scripts\/\S+/.exec(command) ?? [];
    const said = helpOf(script, command.startsWith('node'));
    for (const [option] of command.slice(command.indexOf(script)).matchAll(/--[a-z-]+/g)) {
      expect([row, said.includes(option)]).toEqual([row, true]);
    }
  }
}, 60_000);

/** What a script says of itself. */
function helpOf(script: string, isModule: boolean): string {
  const [program, args] = isModule ? [process.execPath, ['--conditions=development', script]] : [script, []];
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { stdout, stderr } = spawnSync(program, [...args, '--help'], { cwd: root, env, encoding: 'utf8' });
  return stdout + stderr;
}
