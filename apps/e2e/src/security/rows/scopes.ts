import { describe, expect, test } from '@jest/globals';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import { filledPath, type Route, readRoutes } from '../routes.ts';
import { allScopes, freshTenant, type Target } from '../target.ts';

/** What needs no token, and says nothing of any tenant. */
const openRoutes = ['live', 'ready'];

/** Scopes: every route of the service's own document asks for a token (401) and then for its scopes (403). */
export function scopesRow(target: () => Target): void {
  describe('scopes', () => {
    const routesBelow = async () => (await readRoutes(target().url)).filter(({ path }) => path.startsWith(apiPrefix));

    const ask = ({ method, path, pathParameters }: Route, authorization: string) =>
      fetch(target().url + filledPath({ path }, Object.fromEntries(pathParameters.map((name) => [name, 'x']))), {
        method,
        headers: { authorization },
      });

    test('every route but the health checks is below the prefix, and names the scopes that it needs', async () => {
      const routes = await readRoutes(target().url);
      expect(routes.length).toBeGreaterThan(25);
      const unguarded = routes.filter(({ scopes }) => !scopes || scopes.length === 0);
      expect(unguarded.map(({ id }) => id).sort()).toEqual([...openRoutes].sort());
      expect(unguarded.filter(({ path }) => path.startsWith(apiPrefix))).toEqual([]);
    });

    test('every route is 401 without a token, and 403 with all scopes but those that it needs', async () => {
      const tenant = freshTenant('scopes');
      for (const route of await routesBelow()) {
        expect([route.id, (await ask(route, '')).status]).toEqual([route.id, 401]);
        for (const missing of route.scopes ?? []) {
          const others = allScopes.split(' ').filter((scope) => scope !== missing);
          const answer = await ask(route, `Bearer ${target().tokenOf(tenant, others.join(' '))}`);
          expect([route.id, answer.status]).toEqual([route.id, 403]);
          expect(await answer.json()).toMatchObject({ error: { code: 'forbidden', details: { missing: [missing] } } });
        }
      }
    });

    test.each(['', 'memory', 'memory:*', '*', 'memory:READ', 'memory:read,memory:write', 'xmemory:read'])(
      'the scope %j gives nothing',
      async (scope) => {
        const headers = { authorization: `Bearer ${target().tokenOf(freshTenant('scopes'), scope)}` };
        expect((await target().call('/stats', '', { headers })).status).toBe(403);
      },
    );

    test('what every route of administration needs is memory:admin', async () => {
      const admin = (await routesBelow()).filter(({ path }) => path.startsWith(`${apiPrefix}/admin/`));
      expect(admin.length).toBeGreaterThan(5);
      for (const { id, scopes } of admin) expect([id, scopes]).toEqual([id, ['memory:admin']]);
    });
  });
}
