import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { findOnPath } from '../local/run-command.ts';

const script = fileURLToPath(new URL('../helm-test.sh', import.meta.url));
const checks = [
  'lint',
  'template',
  'schema',
  'unittest',
  'values',
  'kubernetes',
  'custom-resources',
  'docs',
  'policy',
] as const;

// Where a tool is missing it is built first, which takes minutes.
const longestMs = 20 * 60_000;

test.each(checks)(
  'make helm-test: %s',
  async (check) => {
    const { status, output } = await run([check]);
    expect({ status, output }).toMatchObject({ status: 0 });
    if (!output.includes(`helm-test: ${check} ok`)) {
      // Never quietly: nothing is known of the chart then.
      expect(output).toContain(`helm-test: ${check} skipped: tool missing`);
      expect(await toolsCanBeHad()).toBe(false);
      console.warn(output);
    }
  },
  longestMs,
);

test('make helm-test has no check that is not counted here', async () => {
  const [, listed = ''] = /^all=\(([^)]*)\)/m.exec(await readFile(script, 'utf8')) ?? [];
  expect(listed.split(' ')).toEqual([...checks]);
});

/** Debian's tools and Go bring every tool on this kind of machine: there a check that is skipped has failed. */
async function toolsCanBeHad(): Promise<boolean> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  return (await findOnPath('go')) !== undefined && (await findOnPath('apt-get')) !== undefined;
}

function run(args: readonly string[]): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    execFile('bash', [script, ...args], { timeout: longestMs, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 1) : 0, output: stdout + stderr });
    });
  });
}
