import { readFile, stat } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from '@jest/globals';
import { anchorsOf, linksOf } from './links.ts';
import { documents, repository as root } from './repository-files.ts';

/** Pages that GitHub makes of a repository; a relative link reaches them from its files. */
const pages =
  /^(?:actions\/workflows\/([\w-]+\.yml)(?:\/badge\.svg)?|discussions|issues|pulls|releases|security\/advisories\/new)$/;

/** Why a link of a file leads nowhere; undefined where it leads somewhere. */
async function fault(file: string, target: string): Promise<string | undefined> {
  if (/^mailto:/.test(target)) return undefined;
  if (/^[a-z]+:/i.test(target)) {
    const { protocol, hostname } = new URL(target);
    const isLocal = ['127.0.0.1', 'localhost'].includes(hostname);
    return protocol === 'https:' || isLocal ? undefined : 'it is not https';
  }
  const [path = '', anchor] = target.split('#', 2);
  const full = path === '' ? file : normalize(join(dirname(file), decodeURIComponent(path)));
  if (full.startsWith('../')) {
    // ../../ of the root is the repository's page.
    const page = pages.exec(full.replace(/^\.\.\/\.\.\//, ''));
    if (!page) return 'it leads out of the repository';
    return page[1] ? fault('README.md', `.github/workflows/${page[1]}`) : undefined;
  }
  const found = await stat(join(root, full)).catch(() => undefined);
  if (!found) return `there is no ${full}`;
  if (anchor === undefined) return undefined;
  const text = found.isDirectory() ? '' : await readFile(join(root, full), 'utf8');
  return anchorsOf(text).has(anchor) ? undefined : `${full} has no heading ${anchor}`;
}

test('every link in the documents leads somewhere', async () => {
  const files = documents();
  expect(files).toEqual(
    expect.arrayContaining(['README.md', 'docs/architecture.md', '.github/PULL_REQUEST_TEMPLATE.md']),
  );
  const faults: string[] = [];
  let links = 0;
  for (const file of files) {
    for (const { target, line } of linksOf(await readFile(join(root, file), 'utf8'))) {
      links += 1;
      const why = await fault(file, target);
      if (why !== undefined) faults.push(`${file}:${line} ${target}: ${why}`);
    }
  }
  expect(faults).toEqual([]);
  expect(links).toBeGreaterThan(50);
}, 60_000);

test('links are found wherever they stand, and not in code', () => {
  const text = `See [one](a.md "title") and ![two](b.png), \`[not](c.md)\`.
[three]: d.md
<a href="e.md">four</a> [![badge](f.svg)](g.md)
\`\`\`
[not](h.md)
\`\`\`
[five](i.md#part)`;
  expect(
    linksOf(text)
      .map(({ target, line }) => `${line} ${target}`)
      .sort(),
  ).toEqual(['1 a.md', '1 b.png', '2 d.md', '3 e.md', '3 f.svg', '3 g.md', '7 i.md#part']);
});

test('headings are named as GitHub names them', () => {
  const text =
    '# The `make` target: what?\n## Same\n## Same\n```\n# not\n```\n<a id="own"></a>\n### [A link](x.md) & more';
  expect([...anchorsOf(text)]).toEqual(['the-make-target-what', 'same', 'same-1', 'own', 'a-link--more']);
});

test('a link to a file, a heading or a workflow that is not there is found', async () => {
  expect(await fault('README.md', 'docs/nowhere.md')).toBe('there is no docs/nowhere.md');
  expect(await fault('docs/search.md', '../README.md#no-such-heading')).toBe(
    'README.md has no heading no-such-heading',
  );
  expect(await fault('README.md', '../../actions/workflows/nowhere.yml/badge.svg')).toContain('nowhere.yml');
  expect(await fault('README.md', '../../../../elsewhere')).toBe('it leads out of the repository');
  expect(await fault('README.md', 'http://example.com')).toBe('it is not https');
  expect(await fault('README.md', '../../discussions')).toBeUndefined();
});

test('every document of docs is in its list', async () => {
  const listed = linksOf(await readFile(join(root, 'docs/README.md'), 'utf8')).map(({ target }) => target);
  // A folder is listed by its own page, or as it is.
  const pages = documents().flatMap((file) => /^docs\/([^/]+)(?:\/README\.md)?$/.exec(file)?.slice(1, 2) ?? []);
  const known = new Set(listed.map((target) => target.replace(/\/README\.md$/, '')));
  expect(pages.filter((page) => page !== 'README.md' && !known.has(page))).toEqual([]);
});
