import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFile(`${root}/${file}`, 'utf8');
const repository = 'https://github.com/semantic-memory/semantic-memory';

const chart = parse(await read('helm/Chart.yaml')) as {
  readonly name: string;
  readonly version: string;
  readonly home: string;
  readonly sources: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
};
const annotation = <Value>(name: string) => parse(chart.annotations[`artifacthub.io/${name}`] ?? '[]') as Value[];

// https://github.com/artifacthub/hub/blob/master/docs/helm_annotations.md
test('Artifact Hub is told of licence, category, changes and links that are there', async () => {
  expect(chart.annotations['artifacthub.io/license']).toBe('MIT');
  expect(await read('LICENSE')).toContain('MIT License');
  expect(chart.annotations['artifacthub.io/category']).toBe('ai-machine-learning');
  expect(chart.annotations['artifacthub.io/prerelease']).toBe(String(chart.version.includes('-')));
  const changes = annotation<{ kind: string; description: string }>('changes');
  expect(changes.length).toBeGreaterThan(0);
  for (const { kind, description } of changes) {
    expect(['added', 'changed', 'deprecated', 'removed', 'fixed', 'security']).toContain(kind);
    expect(description.length).toBeGreaterThan(10);
  }
  const links = annotation<{ name: string; url: string }>('links');
  expect(links.map(({ name }) => name)).toContain('support');
  for (const { url } of links) {
    const file = url.startsWith(`${repository}/blob/main/`) ? url.slice(`${repository}/blob/main/`.length) : undefined;
    if (file === undefined) expect(url).toBe(`${repository}/discussions`);
    else await access(`${root}/${file}`);
  }
  expect([chart.home, ...chart.sources]).toEqual([repository, repository]);
});

// https://github.com/artifacthub/hub/blob/master/docs/metadata/artifacthub-repo.yml
test('the file about the repository says what Artifact Hub knows, and is no part of the chart', async () => {
  const told = parse(await read('helm/artifacthub-repo.yml')) as Record<string, unknown>;
  for (const key of Object.keys(told)) expect(['repositoryID', 'owners', 'ignore']).toContain(key);
  const [{ name, version }] = told.ignore as [{ name: string; version: string }];
  expect(name).toBe(chart.name);
  expect(new RegExp(version).test('0.2.0-rc.1')).toBe(true);
  expect(new RegExp(version).test(chart.version)).toBe(false);
  expect((await read('helm/.helmignore')).split('\n')).toContain('artifacthub-repo.yml');
});
