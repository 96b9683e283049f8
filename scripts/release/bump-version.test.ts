import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { bump, onlyVersion } from './bump.ts';
import { changelogSections } from './changelog.ts';
import { findVersions } from './version-places.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
let root: string;

/** The files of this repository that hold a version, in a folder that may be changed. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'semantic-memory-bump-'));
  const files = new Set((await findVersions(repository)).map(({ file }) => file));
  for (const file of [...files, 'docker-compose.yml', 'helm/values.yaml']) {
    await cp(join(repository, file), join(root, file));
  }
  await writeFile(join(root, 'CHANGELOG.md'), '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A song.\n');
});
afterEach(() => rm(root, { recursive: true }));

const date = '2031-02-03';

const read = (file: string) => readFile(join(root, file), 'utf8');

test('this repository has one version everywhere: packages, chart and tags of the images', async () => {
  const { places: count } = await onlyVersion(repository);
  const found = await findVersions(repository);
  expect(found).toHaveLength(count);
  const places = found.map(({ file, what }) => `${file} ${what}`);
  expect(places).toEqual(
    expect.arrayContaining([
      'package.json version',
      'apps/api/package.json version',
      'packages/shared/package.json version',
      'helm/Chart.yaml version',
      'helm/Chart.yaml appVersion',
      'docker-compose.yml image tag',
    ]),
  );
});

test('a bump writes the next version in every place and a section in CHANGELOG.md', async () => {
  const before = await findVersions(root);
  const unreleased = changelogSections(await read('CHANGELOG.md')).find(({ name }) => name === 'Unreleased');
  expect(await bump(root, '3.1.4', date)).toMatchObject({ next: '3.1.4' });
  expect(await findVersions(root)).toEqual(before.map((place) => ({ ...place, version: '3.1.4' })));
  expect(await read('helm/Chart.yaml')).toMatch(/^appVersion: "?3\.1\.4"?$/m);
  expect(await read('docker-compose.yml')).toContain('semantic-memory-worker:3.1.4');
  const sections = changelogSections(await read('CHANGELOG.md'));
  expect(sections[0]).toEqual({ name: 'Unreleased', date: undefined, body: '' });
  expect(sections[1]).toEqual({ name: '3.1.4', date, body: unreleased?.body });
});

test('major, minor and patch count on from the version that is there', async () => {
  const changed = async () => {
    const text = await read('CHANGELOG.md');
    await writeFile(join(root, 'CHANGELOG.md'), text.replace('## [Unreleased]\n', '## [Unreleased]\n\n- A change.\n'));
  };
  await bump(root, '2.3.4', date);
  for (const [step, next] of [
    ['patch', '2.3.5'],
    ['minor', '2.4.0'],
    ['major', '3.0.0'],
    ['3.1.0-rc.1', '3.1.0-rc.1'],
    ['minor', '3.1.0'],
  ] as const) {
    await changed();
    expect(await bump(root, step, date)).toMatchObject({ next });
    expect(await onlyVersion(root)).toMatchObject({ version: next });
  }
});

test('a version that differs somewhere is told and nothing is written', async () => {
  const chart = (await read('helm/Chart.yaml')).replace(/^appVersion: .*/m, 'appVersion: 9.9.9');
  await writeFile(join(root, 'helm/Chart.yaml'), chart);
  const before = await read('package.json');
  const fault = /more than one version:\nhelm\/Chart\.yaml: appVersion is 9\.9\.9, and package\.json has/;
  await expect(onlyVersion(root)).rejects.toThrow(fault);
  await expect(bump(root, 'patch', date)).rejects.toThrow(fault);
  expect(await read('package.json')).toBe(before);
});

test('an older or malformed version and a release without changes are refused, and nothing is written', async () => {
  const before = await findVersions(root);
  await expect(bump(root, '0.0.1', date)).rejects.toThrow('0.0.1 does not come after');
  await expect(bump(root, 'next', date)).rejects.toThrow('next is neither major, minor, patch nor a version');
  await writeFile(join(root, 'CHANGELOG.md'), '# Changelog\n\n## [Unreleased]\n');
  await expect(bump(root, 'patch', date)).rejects.toThrow('tells nothing under [Unreleased]');
  expect(await findVersions(root)).toEqual(before);
});

test('the command says what it wrote, and what it was not asked with', async () => {
  const run = (...args: string[]) =>
    promisify(execFile)(join(repository, 'scripts/bump-version'), [...args, '--root', root]);
  const { version } = await onlyVersion(root);
  expect((await run('--check')).stdout).toMatch(`${version}: the same in`);
  expect((await run('77.0.0-rc.1')).stdout).toMatch(`${version} -> 77.0.0-rc.1 in CHANGELOG.md, package.json, apps/`);
  await expect(run()).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('scripts/bump-version major') });
}, 60_000);
