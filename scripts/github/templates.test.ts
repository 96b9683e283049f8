import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { labelCalls } from './calls.ts';

const folder = fileURLToPath(new URL('../../.github/', import.meta.url));

test.each(['bug_report.md', 'feature_request.md'])(
  'the template %s has a name, a purpose, fields, and labels that setup-github.sh makes',
  async (file) => {
    const text = await readFile(`${folder}ISSUE_TEMPLATE/${file}`, 'utf8');
    const [, head = '', body = ''] = /^---\n(.*?)\n---\n(.*)$/s.exec(text) ?? [];
    const { name, about, labels } = parse(head) as { name: string; about: string; labels: string[] };
    expect(name).toMatch(/\w/);
    expect(about.length).toBeGreaterThan(10);
    const made = labelCalls('owner/name').map(({ args }) => args[2]);
    expect(labels.length).toBeGreaterThan(0);
    for (const label of labels) expect(made).toContain(label);
    expect(body.match(/^\*\*.+\*\*$/gm)?.length).toBeGreaterThanOrEqual(4);
  },
);

test('who asks something is sent to the discussions, and a weakness to where it stays private', async () => {
  const { contact_links: links } = parse(await readFile(`${folder}ISSUE_TEMPLATE/config.yml`, 'utf8')) as {
    contact_links: { url: string; about: string }[];
  };
  expect(links).toHaveLength(2);
  for (const { url, about } of links) {
    expect(url).toMatch(/^https:\/\/github\.com\/.+\/(?:discussions|security)/);
    expect(about.length).toBeGreaterThan(10);
  }
  expect((await readdir(`${folder}ISSUE_TEMPLATE`)).sort()).toEqual([
    'bug_report.md',
    'config.yml',
    'feature_request.md',
  ]);
});

test('a pull request says what was tested, what documents say, and which issue it ends', async () => {
  const text = await readFile(`${folder}PULL_REQUEST_TEMPLATE.md`, 'utf8');
  for (const part of ['## Testing', '## Documentation', 'Closes #', 'CHANGELOG.md']) expect(text).toContain(part);
});
