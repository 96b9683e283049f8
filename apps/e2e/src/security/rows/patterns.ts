import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serveGit } from '../../serve-git.ts';
import { freshTenant, type Target } from '../target.ts';

/** User patterns never reach a regular-expression engine unbounded: each of these would hold a naive one up for hours. */
export function patternsRow(target: () => Target): void {
  const longest = 8192;
  const repeated = (text: string) => text.repeat(Math.floor(longest / text.length));
  const queries = {
    'nested brackets': repeated('[('),
    'an image that never closes': repeated('![a]('),
    'quotes in quotes': repeated('"a "'),
    'dots and letters': repeated('a.'),
    'at signs': repeated('a@'),
    'slashes and letters': repeated('a/b-'),
    'stars and letters': `${repeated('*a').slice(0, -1)}!`,
    'one letter and an end that does not fit': `${'a'.repeat(longest - 1)}!`,
    'white space in the middle': `x${' '.repeat(longest - 2)}y`,
    'combining marks': repeated('e\u0301'),
    'hyphens and digits': repeated('1-'),
  };

  describe('patterns', () => {
    let folder: string;
    let server: Server;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'semantic-memory-patterns-'));
      const repository = join(folder, 'names.git');
      await mkdir(repository);
      await writeFile(join(repository, `${'a'.repeat(200)}!`), 'A name that was made for a pattern.');
      await writeFile(join(repository, 'wanted.md'), '# Wanted\n\nThe buoy is red.');
      const git = (...args: string[]) => promisify(execFile)('git', args, { cwd: repository });
      await git('init', '--quiet');
      await git('add', '.');
      await git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--message', 'names');
      server = await serveGit(folder, target().gitPort);
    });
    afterAll(async () => {
      server?.close();
      await rm(folder, { recursive: true, force: true });
    });

    test('patterns of paths that were made to be slow are told from names that were made for them', async () => {
      const tenant = freshTenant('patterns');
      const url = `http://127.0.0.1:${target().gitPort}/names.git`;
      const include = ['*a'.repeat(249), `${'**/'.repeat(160)}x`, '{a,b}'.repeat(99), '(a+)+$', 'wanted.md'];
      const job = await target().ingested(tenant, { source: { type: 'git', url, include } });
      expect(job.state).toBe('succeeded');
      const { items } = await target().json<{ items: { title: string }[] }>('/documents', tenant);
      expect(items.map(({ title }) => title)).toEqual(['wanted.md']);
    }, 60_000);

    test.each(Object.keys(queries) as (keyof typeof queries)[])(
      'a query of %s is answered',
      async (name) => {
        const tenant = freshTenant('patterns');
        const body = { source: { type: 'text', text: `${queries[name].slice(0, 1000)}\n\nThe buoy is red.` } };
        await target().ingested(tenant, body);
        const query = queries[name];
        expect(
          (await target().call('/search', tenant, { body: { query, highlight: true, explain: true } })).status,
        ).toBe(200);
        expect((await target().call('/rag', tenant, { body: { question: query } })).status).toBe(200);
      },
      60_000,
    );

    test('there is no operator for patterns in a filter', async () => {
      for (const operator of ['$regex', '$like', '$where', '$text', '$expr', '$contains']) {
        const body = { query: 'x', filter: { title: { [operator]: '(a+)+$' } } };
        expect((await target().call('/search', freshTenant(), { body })).status).toBe(400);
      }
    });
  });
}
