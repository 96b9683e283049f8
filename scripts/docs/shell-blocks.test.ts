import { spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { expect, jest, test } from '@jest/globals';
import { tiers } from '@semantic-memory/shared/contracts/jobs';
import { documents, repository as root } from './repository-files.ts';

// A shell is started for each block.
jest.setTimeout(60_000);

interface Block {
  /** Where it stands. */
  readonly file: string;
  readonly commands: string;
}

const blocks = (
  await Promise.all(
    documents().map(async (file): Promise<Block[]> => {
      const text = await readFile(`${root}/${file}`, 'utf8');
      return [...text.matchAll(/^```(?:sh|bash)\n(.*?)^```$/gms)].map(([, commands = '']) => ({ file, commands }));
    }),
  )
).flat();

test('every block of commands in the documents is one that a shell understands', () => {
  expect(blocks.length).toBeGreaterThan(40);
  const faults = blocks.flatMap(({ file, commands }) => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: commands, encoding: 'utf8' });
    return status === 0 ? [] : [`${file}: ${stderr}`];
  });
  expect(faults).toEqual([]);
});

test('targets and files that they name are there', async () => {
  const makefile = await readFile(`${root}/Makefile`, 'utf8');
  const faults: string[] = [];
  for (const { file, commands } of blocks) {
    for (const [, target] of commands.matchAll(/(?:^|&& )make ([a-z][a-z-]*)/gm)) {
      if (!makefile.includes(`\n${target}:`)) faults.push(`${file}: make ${target}`);
    }
    for (const [path] of commands.matchAll(/(?<=^|\s)(?:\.\/)?(?:apps|docs|helm|packages|scripts)\/[\w./-]+/gm)) {
      if (!(await stat(`${root}/${path}`).catch(() => undefined))) faults.push(`${file}: ${path}`);
    }
  }
  expect(faults).toEqual([]);
});

test('what they call by kubectl is what a release called memory has', () => {
  const components = ['api', 'redis', 'chroma', ...tiers.map((tier) => `worker-${tier}`)];
  const known = new Set(components.map((component) => `memory-${component}`));
  const named = blocks.flatMap(({ file, commands }) =>
    [...commands.matchAll(/\b(?:deployment|statefulset|service)\/([\w-]+)/g)].map(([, name = '']) => ({ file, name })),
  );
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter(({ name }) => !known.has(name))).toEqual([]);
});
