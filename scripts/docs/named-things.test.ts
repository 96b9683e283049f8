import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { configVariables } from '@semantic-memory/runtime/config-variables';
import { parse } from 'yaml';
import { notSettings } from '../env/check-example.ts';
import { toolVariables } from '../env/tool-variables.ts';
import { documents, repository as root } from './repository-files.ts';

const read = (file: string) => readFile(`${root}/${file}`, 'utf8');

/** What stands in backticks in a Markdown text, blocks left out. */
const namesIn = (markdown: string) =>
  [...markdown.replaceAll(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name);

const files = documents().filter((file) => !file.startsWith('.github/'));

/** Secrets of the repository that the workflows read. */
async function workflowSecrets(): Promise<string[]> {
  const folder = `${root}/.github/workflows`;
  const texts = await Promise.all((await readdir(folder)).map((file) => readFile(`${folder}/${file}`, 'utf8')));
  return texts.flatMap((text) => [...text.matchAll(/\bsecrets\.([A-Z0-9_]+)/g)].map(([, name = '']) => name));
}

test('every variable that a document names is one', async () => {
  const known = new Set([
    ...Object.values(configVariables).map(({ name }) => name),
    ...toolVariables.map(({ name }) => name),
    ...Object.keys(notSettings),
    ...(await workflowSecrets()),
  ]);
  const unknown: string[] = [];
  for (const file of files) {
    for (const name of namesIn(await read(file))) {
      const variable = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=|$)/.exec(name)?.[1];
      if (variable !== undefined && !known.has(variable)) unknown.push(`${file}: ${variable}`);
    }
  }
  expect(unknown).toEqual([]);
});

test.each(['docs/deployment.md', 'docs/scaling.md'])('every value of the chart that %s names is one', async (file) => {
  const values = parse(await read('helm/values.yaml')) as Record<string, unknown>;
  const named = namesIn(await read(file)).flatMap((name) => /^([a-z]\w*(?:\.\w+)+)(?::|$)/.exec(name)?.[1] ?? []);
  const ofChart = named.filter((name) => (name.split('.')[0] as string) in values);
  expect(ofChart.length).toBeGreaterThan(1);
  const isThere = (name: string) => {
    let at: unknown = values;
    for (const part of name.split('.')) at = (at as Record<string, unknown> | undefined)?.[part] ?? undefined;
    return at !== undefined;
  };
  expect(ofChart.filter((name) => !isThere(name))).toEqual([]);
});
