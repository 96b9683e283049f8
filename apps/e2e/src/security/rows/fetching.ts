import { describe, expect, test } from '@jest/globals';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { freshTenant, type Target } from '../target.ts';

/** SSRF: no spelling, name or redirect leads to a machine that is not public. */
export function fetchingRow(target: () => Target): void {
  /** Addresses of this machine and of what clouds tell their own; `PORT` is one where somebody listens. */
  const spellings = [
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0x7f.0.0.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://0:PORT/',
    'http://0.0.0.0:PORT/',
    'http://127。0。0。1:PORT/',
    'http://①②⑦.⓪.⓪.①:PORT/',
    'http://localhost:PORT/',
    'http://LocalHost.:PORT/',
    'http://a.localhost:PORT/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://[64:ff9b:1::a9fe:a9fe]/',
    'http://[2002:7f00:1::]:PORT/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://168.63.129.16/',
    'http://100.100.100.200/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.0.1/',
    'http://198.18.0.1/',
    'http://224.0.0.1/',
    'http://inside.rebind.test:PORT/',
    'http://mapped.rebind.test:PORT/',
    'http://mixed.rebind.test:PORT/',
    'http://user:password@127.0.0.1:PORT/',
    'http://example.com@127.0.0.1:PORT/',
    'http://127.0.0.1:PORT\\@example.com/',
  ];
  const port = () => new URL(`http://${target().inside.host}`).port;
  const aimed = () => spellings.map((url) => url.replace('PORT', port()));

  /** What each of these sources ends with. */
  async function endOf(sources: readonly object[]): Promise<(string | undefined)[]> {
    const tenant = freshTenant('fetch');
    const items = sources.map((source) => ({ source }));
    const { jobs } = await target().json<{ jobs: Job[] }>('/ingest/batch', tenant, { body: { items } });
    return Promise.all(jobs.map(async ({ id }) => (await target().ended(tenant, id)).error?.code));
  }

  describe('SSRF', () => {
    test.each(['url', 'git'])(
      'no spelling of an address inside is fetched as %s',
      async (type) => {
        const urls = aimed();
        const codes = await endOf(urls.map((url) => ({ type, url })));
        const due = (url: string) => (new URL(url).username === '' ? 'fetch_forbidden' : 'invalid_request');
        expect(urls.map((url, index) => [url, codes[index]])).toEqual(urls.map((url) => [url, due(url)]));
        expect(target().inside.asked).toEqual([]);
      },
      120_000,
    );

    test('no redirect leads inside, and what is allowed by name is allowed at its port alone', async () => {
      const { site, inside } = target();
      const through = [`http://${inside.host}/`, ...aimed().slice(0, 6), 'http://169.254.169.254/'];
      const urls = through.map((address) => `http://${site.host}/to?${encodeURIComponent(address)}`);
      expect(await endOf(urls.map((url) => ({ type: 'url', url })))).toEqual(urls.map(() => 'fetch_forbidden'));
      const twice = encodeURIComponent(`http://${site.host}/to?${encodeURIComponent(`http://${inside.host}/`)}`);
      expect(await endOf([{ type: 'url', url: `http://${site.host}/to?${twice}` }])).toEqual(['fetch_forbidden']);
      expect(
        await endOf([{ type: 'url', url: `http://${site.host}/to?${encodeURIComponent('file:///etc/passwd')}` }]),
      ).toEqual(['fetch_forbidden']);
      expect(await endOf([{ type: 'url', url: `http://${site.host}/page.txt` }])).toEqual([undefined]);
      expect(inside.asked).toEqual([]);
    }, 120_000);

    test('what is no address of the web is refused with the request', async () => {
      const tenant = freshTenant('fetch');
      const wrong = [
        'file:///etc/passwd',
        'gopher://127.0.0.1:6379/_INFO',
        'ftp://127.0.0.1/',
        'data:text/plain,x',
        '//x',
      ];
      for (const url of [...wrong, 'http://127.0.0.1%00.example.com/', 'http://[::1', 'javascript:alert(1)']) {
        for (const type of ['url', 'git']) {
          const answer = await target().call('/ingest', tenant, { body: { source: { type, url } } });
          expect([url, answer.status]).toEqual([url, 400]);
        }
      }
    });

    test('no webhook is promised to an address inside, and none is called there', async () => {
      const tenant = freshTenant('fetch');
      const written = aimed().filter((url) => !url.includes('rebind'));
      for (const callbackUrl of written) {
        const answer = await target().call('/ingest', tenant, {
          body: { source: { type: 'text', text: 'x' }, callbackUrl },
        });
        expect([callbackUrl, answer.status]).toEqual([callbackUrl, 422]);
      }
      const named = aimed().filter((url) => url.includes('rebind'));
      const items = named.map((callbackUrl) => ({ source: { type: 'text', text: 'x' }, callbackUrl }));
      const { jobs } = await target().json<{ jobs: Job[] }>('/ingest/batch', tenant, { body: { items } });
      for (const { id } of jobs) expect((await target().ended(tenant, id)).state).toBe('succeeded');
      // Calls are made in order: once one of the test's own has come, those before it were refused.
      const callbackUrl = `http://${target().site.host}/called`;
      await target().call('/ingest', tenant, { body: { source: { type: 'text', text: 'y' }, callbackUrl } });
      while (!target().site.asked.includes('/called')) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(target().inside.asked).toEqual([]);
    }, 60_000);
  });
}
