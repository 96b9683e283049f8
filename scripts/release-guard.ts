import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { onlyVersion } from './release/bump.ts';
import { changelogSections } from './release/changelog.ts';
import { isCandidate, releaseFaults } from './release/guard.ts';

const usage = `Refuses what must not be released, or prints the notes of a release. Run in the root of the repository.

node --conditions=development scripts/release-guard.ts --confirm VERSION --branch NAME   prints version= and candidate=
node --conditions=development scripts/release-guard.ts --notes                           prints the section of CHANGELOG.md
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      confirm: { type: 'string' },
      branch: { type: 'string' },
      notes: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const root = process.cwd();
  const { version } = await onlyVersion(root);
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
  if (values.notes) {
    const section = changelogSections(changelog).find(({ name }) => name === version);
    if (!section) throw new Error(`CHANGELOG.md has no section for ${version}.`);
    process.stdout.write(`${section.body}\n`);
    return 0;
  }
  const { confirm, branch } = values;
  if (confirm === undefined || branch === undefined) throw new Error('--confirm and --branch are needed.');
  const tags = execFileSync('git', ['tag', '--list'], { encoding: 'utf8' }).split('\n');
  const faults = releaseFaults({ version, confirm, branch, tags, changelog });
  for (const fault of faults) process.stderr.write(`release-guard: ${fault}\n`);
  if (faults.length === 0) process.stdout.write(`version=${version}\ncandidate=${isCandidate(version)}\n`);
  return faults.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`release-guard: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
