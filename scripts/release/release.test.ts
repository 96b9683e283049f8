import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { releaseFaults } from './guard.ts';
import { findVersions } from './version-places.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const changelog = `# Changelog

## [Unreleased]

- What comes next.

## [1.2.0] - 2031-02-03

### Key features

- It answers.

### Upgrade path

Nothing to do.

### Known limitations

- It does not sing.

## [1.2.0-rc.1] - 2031-02-01

- It answers.
`;
const request = { version: '1.2.0', confirm: '1.2.0', branch: 'main', tags: ['v1.1.0'], changelog };

test('a version that was confirmed, is new and is told of in the changelog may be released', () => {
  expect(releaseFaults(request)).toEqual([]);
  expect(releaseFaults({ ...request, branch: 'release/1.2' })).toEqual([]);
  const candidate = { ...request, version: '1.2.0-rc.1', confirm: '1.2.0-rc.1', branch: 'release/1.2' };
  expect(releaseFaults(candidate)).toEqual([]);
});

test('the version of this repository is told of in its changelog as a release must be', async () => {
  const text = await readFile(join(repository, 'CHANGELOG.md'), 'utf8');
  const version = (await findVersions(repository))[0]?.version ?? '';
  expect(releaseFaults({ version, confirm: version, branch: 'main', tags: [], changelog: text })).toEqual([]);
});

test('an accident is refused: another version than confirmed, a second time, from elsewhere', () => {
  expect(releaseFaults({ ...request, confirm: '1.2.1' })).toEqual([
    'The version would be 1.2.0, and 1.2.1 was confirmed.',
  ]);
  expect(releaseFaults({ ...request, tags: ['v1.2.0'] })).toEqual(['v1.2.0 was released already: there is a tag.']);
  expect(releaseFaults({ ...request, branch: 'feature' })[0]).toContain('not from feature');
  const candidate = { ...request, version: '1.2.0-rc.1', confirm: '1.2.0-rc.1' };
  expect(releaseFaults(candidate)).toEqual(['A release candidate comes from a branch release/…, never from main.']);
});

test('a release that the changelog does not tell of is refused', () => {
  const section = (text: string) => releaseFaults({ ...request, changelog: text });
  expect(section('## [Unreleased]\n')).toEqual(['CHANGELOG.md has no section for 1.2.0.']);
  expect(section(changelog.replace(' - 2031-02-03', ''))[0]).toContain('has no date');
  expect(section(changelog.replace('- It does not sing.\n', ''))).toEqual([
    'The section for 1.2.0 in CHANGELOG.md tells nothing under “Known limitations”.',
  ]);
  expect(section(changelog.replace('### Key features', '### Added'))[0]).toContain('“Key features”');
});

/** A clone with the files that hold a version, and a fake gh that notes how it was called. */
let folder: string;
let clone: string;
const run = async (command: string, args: string[], env: Record<string, string> = {}) => {
  const { GITHUB_OUTPUT: _output, GITHUB_REF_NAME: _name, ...own } = process.env;
  const settings = { GIT_CONFIG_GLOBAL: '/dev/null', PATH: `${folder}:${process.env.PATH}` };
  return promisify(execFile)(command, args, { cwd: clone, env: { ...own, ...settings, ...env } });
};
const git = (...args: string[]) => run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args]);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-memory-release-'));
  clone = folder;
  await git('init', '--quiet', '--bare', 'origin.git');
  await git('clone', '--quiet', 'origin.git', 'clone');
  clone = join(folder, 'clone');
  const files = new Set((await findVersions(repository)).map(({ file }) => file));
  for (const file of [...files, 'docker-compose.yml', 'helm/values.yaml']) {
    await cp(join(repository, file), join(clone, file));
  }
  const text = changelog.slice(0, changelog.indexOf('## [1.2.0]'));
  const sections = '### Key features\n\n- F.\n\n### Upgrade path\n\nNone.\n\n### Known limitations\n\n- L.\n';
  await writeFile(join(clone, 'CHANGELOG.md'), text.replace('- What comes next.\n', sections));
  await writeFile(
    join(folder, 'gh'),
    `#!/bin/sh\necho "gh $*" >>"${folder}/calls"\ncat "$9" >>"${folder}/notes" || true\n`,
  );
  await chmod(join(folder, 'gh'), 0o755);
  await git('checkout', '--quiet', '-b', 'main');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'all');
  await git('push', '--quiet', 'origin', 'main');
});
afterEach(() => rm(folder, { recursive: true }));

test('a release is bumped on a branch of its own, and tagged there with its notes', async () => {
  const prepare = join(repository, 'scripts/prepare-release.sh');
  const { stdout } = await run(prepare, [], { RELEASE_STEP: '9.0.0', RELEASE_CONFIRM: '9.0.0' });
  const head = (await git('rev-parse', 'HEAD')).stdout.trim();
  expect(stdout).toBe(`version=9.0.0\ncandidate=false\nref=${head}\n`);
  expect((await git('ls-remote', 'origin', 'release-prep/v9.0.0')).stdout).toContain(head);
  expect((await git('show', '--stat', '--format=%s', 'HEAD')).stdout).toMatch(
    /^chore\(release\): v9\.0\.0[\s\S]*helm\/Chart/,
  );
  // It is what main is before the bump is merged.
  expect((await git('diff', '--name-only', 'origin/main', 'HEAD')).stdout.split('\n')).toContain('package.json');

  await run(join(repository, 'scripts/publish-release.sh'), [], { RELEASE_BASE: 'main' });
  const calls = (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
  expect(calls[0]).toMatch(`gh release create v9.0.0 --target ${head} --title v9.0.0 --notes-file`);
  expect(calls[0]).not.toContain('--prerelease');
  expect(calls[1]).toMatch('gh pr create --base main --head release-prep/v9.0.0');
  expect(await readFile(join(folder, 'notes'), 'utf8')).toContain('### Key features\n\n- F.\n');
}, 120_000);

test('a release that the guard refuses changes nothing at the origin', async () => {
  const before = (await git('ls-remote', 'origin')).stdout;
  const prepare = join(repository, 'scripts/prepare-release.sh');
  const refused = run(prepare, [], { RELEASE_STEP: '9.0.0', RELEASE_CONFIRM: '9.0.1' });
  await expect(refused).rejects.toMatchObject({
    stderr: expect.stringContaining('The version would be 9.0.0, and 9.0.1 was confirmed.'),
  });
  expect((await git('ls-remote', 'origin')).stdout).toBe(before);
}, 120_000);
