import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { tiers } from '@semantic-memory/shared/contracts/jobs';
import { jobTransitions } from '@semantic-memory/shared/contracts/model/job-transitions';
import { type Diagram, diagramsOf } from './diagrams.ts';
import { bringNpmTool } from './npm-tool.ts';
import { documents, repository as root } from './repository-files.ts';

const diagrams = (
  await Promise.all(documents().map(async (file) => diagramsOf(file, await readFile(`${root}/${file}`, 'utf8'))))
).flat();
const architecture = diagrams.filter(({ file }) => file === 'docs/architecture.md');

const hasMermaid = await bringNpmTool('mermaid', console.error);
if (!hasMermaid) console.warn('skipped: tool missing: mermaid. The diagrams of the documents were NOT parsed.');

(hasMermaid ? test : test.skip)(
  'Mermaid understands every diagram in the documents, and finds what is wrong with others',
  async () => {
    const wrong = ['flowchart LR\n  a --> ', 'sequenceDiagram\n  a ->>', 'C4Context\n  Nobody(a, "A")', 'no diagram'];
    const broken = wrong.map((text, line) => ({ file: 'broken.md', line, text }));
    expect(diagrams.length).toBeGreaterThan(8);
    const faults = await faultsOf([...diagrams, ...broken]);
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(broken.map(({ file, line }) => `${file}:${line}`));
  },
  // A second where nothing else runs.
  180_000,
);

test('the architecture is shown as context, containers, components, sequences and states', async () => {
  const page = await readFile(`${root}docs/architecture.md`, 'utf8');
  const parts = new Map(page.split(/^## /m).map((part) => [part.split('\n')[0], diagramsOf('', part)]));
  const kindsOf = (part: string) => parts.get(part)?.map(({ text }) => /^\w+/.exec(text)?.[0]);
  expect(kindsOf('Context')).toEqual(['flowchart']);
  expect(kindsOf('Containers')).toEqual(['flowchart']);
  expect(kindsOf('Components')).toEqual(['flowchart', 'flowchart']);
  expect(kindsOf('One document')).toEqual(['flowchart', 'sequenceDiagram', 'stateDiagram']);
  expect(kindsOf('One search')).toEqual(['sequenceDiagram']);
  expect(kindsOf('One question')).toEqual(['sequenceDiagram']);
});

test('the states of a job in the diagram are those of the code', () => {
  const drawn = architecture.find(({ text }) => text.startsWith('stateDiagram'))?.text ?? '';
  const arrows = [...drawn.matchAll(/^ *(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} ${to}`);
  const known = Object.entries(jobTransitions).flatMap(([from, next]) => next.map((to) => `${from} ${to}`));
  expect(arrows.sort()).toEqual(known.sort());
});

test('every tier is a container', () => {
  const containers = architecture.find(({ text }) => text.includes('subgraph workers'))?.text ?? '';
  for (const tier of tiers) expect(containers).toContain(`${tier}["<b>${tier}</b>`);
});

test('diagrams are found by their fences, with the line that they begin at', () => {
  const text = 'a\n\n```mermaid\nflowchart LR\n```\n\n```js\n```\n\n  ```mermaid\n  pie\n  ```\n';
  expect(diagramsOf('a.md', text)).toEqual([
    { file: 'a.md', line: 3, text: 'flowchart LR\n' },
    { file: 'a.md', line: 10, text: '  pie\n' },
  ]);
});

/** What Mermaid finds wrong. */
function faultsOf(texts: readonly Diagram[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      ['--conditions=development', 'scripts/docs/parse-diagrams.ts'],
      { cwd: root, env: { ...process.env, NODE_OPTIONS: '' } },
      (error, stdout, stderr) => (error ? reject(new Error(stderr)) : resolve(JSON.parse(stdout))),
    );
    child.stdin?.end(JSON.stringify(texts));
  });
}
