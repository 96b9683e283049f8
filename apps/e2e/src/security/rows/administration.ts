import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import { rawRequest } from '../raw-request.ts';
import { freshTenant, type Target } from '../target.ts';

/** Metrics and administration: not on the public port, or not without memory:admin, and inside of the tenant. */
export function administrationRow(target: () => Target): void {
  describe('metrics and administration', () => {
    test('no spelling of a path leads to the metrics on the public port', async () => {
      const paths = [
        ...[
          '/metrics',
          '/metrics/',
          '//metrics',
          '/METRICS',
          '/metrics?x=1',
          '/./metrics',
          '/%6detrics',
          '/metrics%00',
        ],
        ...[
          `${apiPrefix}/metrics`,
          `${apiPrefix}/../../../metrics`,
          '/docs/../metrics',
          '/health/../metrics',
          '/metrics;a=b',
        ],
        ...['/health/started', '/admin', '/admin/queues', '/debug/pprof', '/.env', '/.git/config', '/server-status'],
      ];
      const headers = { authorization: `Bearer ${target().tokenOf(freshTenant())}`, 'x-original-url': '/metrics' };
      for (const path of paths) {
        const { status, text } = await rawRequest(target().url, path, headers);
        expect([path, status >= 400 && status < 500]).toEqual([path, true]);
        expect([path, /http_request_duration_seconds|process_cpu_seconds/.test(text)]).toEqual([path, false]);
      }
      expect(await (await fetch(target().metricsUrl)).text()).toContain('http_request_duration_seconds');
    });

    test('the port of the metrics answers nothing else', async () => {
      const { origin } = new URL(target().metricsUrl);
      const headers = { authorization: `Bearer ${target().tokenOf(freshTenant())}` };
      for (const path of [
        '/',
        '/docs',
        '/openapi.json',
        `${apiPrefix}/stats`,
        `${apiPrefix}/documents`,
        '/metrics/../x',
      ]) {
        expect([path, (await rawRequest(origin, path, headers)).status]).toEqual([path, 404]);
      }
      expect((await fetch(target().metricsUrl, { method: 'POST' })).status).toBe(405);
    });

    test('an administrator administers the own tenant alone', async () => {
      const [busy, other] = [freshTenant('busy'), freshTenant('other')];
      const body = { source: { type: 'text', text: '%PDF-1.7 broken', mediaType: 'application/pdf' } };
      for (let count = 0; count < 3; count += 1) await target().call('/ingest', busy, { body });
      const { queues } = await target().json<{ queues: { tier: string }[] }>('/admin/queues', other);
      for (const { tier, ...counts } of queues) {
        expect([tier, counts]).toEqual([tier, { waiting: 0, active: 0, delayed: 0, failed: 0, oldestWaitSeconds: 0 }]);
      }
      expect(await target().json('/admin/dead-letters', other)).toEqual({ items: [] });
      expect(await target().json('/admin/reconcile', other, { method: 'POST' })).toMatchObject({
        checked: 0,
      });
      expect((await target().call('/admin/export?namespace=default', other)).status).toBe(404);
    });

    test('what is open to anybody names no address, no folder and no tenant', async () => {
      const ports = JSON.parse(await readFile(join(target().dataDir, 'ports.json'), 'utf8')) as Record<string, number>;
      const inner = [...Object.values(ports).map((port) => `:${port}`), 'redis://', 'node_modules', target().dataDir];
      for (const path of ['/', '/docs', '/openapi.json', '/health/live', '/health/ready']) {
        const text = await (await fetch(target().url + path)).text();
        expect([path, inner.filter((word) => text.includes(word))]).toEqual([path, []]);
      }
    });

    test('no answer that refuses has a stack, a path of ours, or a word of what we stand on', async () => {
      const tenant = freshTenant();
      const answers = [
        await target().call('/search', tenant, { body: '{"query":', headers: { 'content-type': 'application/json' } }),
        await target().call('/search', tenant, { body: { query: 'x', filter: { a: { $where: 'sleep(1)' } } } }),
        await target().call('/documents?cursor=%5B%22x%22%5D&limit=0', tenant),
        await target().call('/jobs/job_%00', tenant),
        await target().call('/ingest', tenant, {
          body: 'x',
          headers: { 'content-type': 'multipart/form-data; boundary=' },
        }),
        await target().call('/admin/import', tenant, {
          body: 'no tar',
          headers: { 'content-type': 'application/x-tar' },
        }),
      ];
      for (const answer of answers) {
        const text = await answer.text();
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        expect(text).not.toMatch(/node_modules|node:internal|\.ts:\d+|\.js:\d+|ReplyError|chroma|redis/i);
        expect(JSON.parse(text)).toMatchObject({ error: { requestId: expect.any(String) } });
      }
    });
  });
}
