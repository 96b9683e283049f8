import { beforeAll, describe, expect, test } from '@jest/globals';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import type { SearchResponse } from '@semantic-memory/shared/contracts/model/search';
import { filledPath, type Route, readRoutes } from '../routes.ts';
import { canary, freshTenant, type Target } from '../target.ts';

const ownWords = canary('owner');
const namespace = 'board-papers';

/** What a tenant has that another one is after. */
interface Owned {
  readonly ids: Readonly<Record<string, string>>;
  readonly cursors: Readonly<Record<string, string>>;
  readonly eventId: string;
}

/** Every tenant-A id with tenant B's token is 404 on every route, forged filters included. */
export function isolationRow(target: () => Target): void {
  const [owner, stranger] = [freshTenant('owner'), freshTenant('stranger')];
  let owned: Owned;

  async function ownSomething(): Promise<Owned> {
    const items = ['secret', 'second'].map((documentId) => ({
      source: { type: 'text', text: `The ${ownWords} meets at midnight, for the ${documentId} time.` },
      documentId,
      namespace,
      metadata: { owner: ownWords },
    }));
    const accepted = await target().json<{ batchId: string; jobs: Job[] }>('/ingest/batch', owner, { body: { items } });
    const jobIds = accepted.jobs.map(({ id }) => id);
    for (const id of jobIds) expect((await target().ended(owner, id)).state).toBe('succeeded');
    const asked = await target().call('/rag', owner, {
      body: { question: 'When do they meet?', namespace, stream: true },
    });
    const [, answerId = ''] = /"answerId":"([^"]+)"/.exec(await asked.text()) ?? [];
    const cursorOf = async (path: string) =>
      (await target().json<{ nextCursor: string }>(`${path}?limit=1`, owner)).nextCursor;
    const events = await (await target().call(`/jobs/${jobIds[0]}/events`, owner)).text();
    return {
      ids: { documentId: 'secret', jobId: jobIds[0] ?? '', batchId: accepted.batchId, answerId },
      cursors: { listDocuments: await cursorOf('/documents'), listJobs: await cursorOf('/jobs') },
      eventId: /^id: ?(.+)$/m.exec(events)?.[1] ?? '',
    };
  }

  /** All that the owner can see of it. */
  async function ownView(): Promise<unknown> {
    const read = async (path: string) => (await target().call(path, owner)).text();
    const paths = ['/documents', '/jobs', '/stats', '/documents/secret/text', '/documents/secret/chunks'];
    return Promise.all(paths.map(read));
  }

  const asStranger = (route: Route, path: string, init: Parameters<Target['call']>[2] = {}) =>
    target().call(path.slice(apiPrefix.length), stranger, { ...init, method: route.method });

  describe('isolation', () => {
    beforeAll(async () => {
      owned = await ownSomething();
    }, 120_000);

    test('every route that takes an id answers 404 for another tenant’s, and what it names stays as it is', async () => {
      const before = await ownView();
      const routes = (await readRoutes(target().url)).filter(({ pathParameters }) => pathParameters.length > 0);
      expect(routes.length).toBeGreaterThan(12);
      for (const route of routes) {
        const path = filledPath(route, owned.ids);
        if (route.mediaTypes) expect([route.id, route.examples.length > 0]).toEqual([route.id, true]);
        const [body] = route.examples as object[];
        const answer = await asStranger(route, path, {
          ...(body === undefined ? {} : { body }),
          headers: route.id === 'jobEvents' ? { 'last-event-id': owned.eventId } : {},
        });
        expect([route.id, answer.status]).toEqual([route.id, 404]);
        expect(await answer.text()).not.toContain(ownWords);
        // The owner finds it: the 404 above is about the tenant.
        if (route.method === 'GET') {
          const own = await target().call(path.slice(apiPrefix.length), owner);
          expect([route.id, own.status]).toEqual([route.id, 200]);
          await own.body?.cancel();
        }
      }
      expect(await ownView()).toEqual(before);
    }, 60_000);

    test('every other route holds nothing of another tenant, whatever is asked of it', async () => {
      const before = await ownView();
      for (const route of (await readRoutes(target().url)).filter(isForTenants)) {
        for (const { query, body } of forgeries(route, owned)) {
          const answer = await asStranger(route, `${route.path}${query}`, body === undefined ? {} : { body });
          const text = await answer.text();
          const where = [route.id, query, JSON.stringify(body)];
          expect([...where, answer.status < 500]).toEqual([...where, true]);
          for (const word of [ownWords, owned.ids.jobId, owned.ids.batchId, owned.ids.answerId]) {
            expect([...where, text.includes(word ?? '')]).toEqual([...where, false]);
          }
        }
      }
      expect(await ownView()).toEqual(before);
    }, 120_000);

    test('no filter, namespace or member of a request reaches what is another tenant’s', async () => {
      const prying = freshTenant('prying');
      const filters = [
        { tenant: owner },
        { documentId: 'secret' },
        { owner: ownWords },
        { $or: [{ documentId: { $in: ['secret', 'second'] } }, { owner: { $ne: 'nobody' } }] },
        { owner: { $nin: [] } },
        { $and: [{ $or: [{ tenant: { $eq: owner } }, { tenantId: owner }] }] },
      ];
      for (const filter of filters) {
        for (const mode of ['hybrid', 'dense', 'lexical']) {
          const body = { query: `${ownWords} midnight`, namespace, filter, mode, minScore: -1, topK: 100 };
          const { hits } = await target().json<SearchResponse>('/search', prying, { body });
          expect([filter, mode, hits]).toEqual([filter, mode, []]);
        }
        const asked = await target().call('/rag', prying, { body: { question: `${ownWords}?`, namespace, filter } });
        expect(await asked.json()).toMatchObject({ refused: true, citations: [] });
      }
      for (const more of [{ tenant: owner }, { scope: { tenant: owner } }, { __proto__: null, tenantId: owner }]) {
        const body = { query: 'midnight', namespace, ...more };
        expect((await target().call('/search', prying, { body })).status).toBe(400);
      }
      // The owner finds both with the same words.
      const body = { query: `${ownWords} midnight`, namespace };
      expect((await target().json<SearchResponse>('/search', owner, { body })).hits).toHaveLength(2);
    }, 60_000);

    test('the same document id and the same Idempotency-Key are each tenant’s own', async () => {
      const body = { source: { type: 'text', text: 'A stranger has a secret too.' }, documentId: 'secret', namespace };
      const headers = { 'idempotency-key': 'the-same-key' };
      const [theirs, mine] = [freshTenant('keys'), freshTenant('keys')];
      const first = await target().json<Job>('/ingest', theirs, { body, headers });
      const second = await target().json<Job>('/ingest', mine, { body, headers });
      expect(second.id).not.toBe(first.id);
      expect(second.version).toBe(1);
      expect((await target().ended(mine, second.id)).state).toBe('succeeded');
      expect(await (await target().call('/documents/secret/content', mine)).text()).toContain('A stranger');
      expect((await target().call('/documents/secret', mine, { method: 'DELETE' })).status).toBe(200);
      expect(await (await target().call('/documents/secret/content', owner)).text()).toContain(ownWords);
    }, 60_000);

    test('tenants whose names look alike are two', async () => {
      for (const alike of [
        owner.toUpperCase(),
        `${owner} `,
        `${owner}\u0000`,
        `${owner}:board-papers`,
        `*`,
        '__proto__',
      ]) {
        expect(await target().json('/documents', alike)).toEqual({ items: [] });
      }
    });
  });
}

const isForTenants = ({ path, pathParameters }: Route) => path.startsWith(apiPrefix) && pathParameters.length === 0;

/** What a stranger who knows another tenant's names would ask of a route, by what the route takes. */
function forgeries(route: Route, { ids, cursors }: Owned): { query: string; body?: object | string }[] {
  const values: Readonly<Record<string, string | undefined>> = {
    ...{ documentId: ids.documentId, namespace, cursor: cursors[route.id] ?? cursors.listDocuments, limit: '100' },
  };
  const known = route.queryParameters.flatMap((name) => (values[name] ? [[name, values[name]]] : []));
  const queries = ['', ...known.map((pair) => `?${new URLSearchParams([pair as [string, string]])}`)];
  if (!route.mediaTypes) return queries.map((query) => ({ query }));
  if (!route.mediaTypes.includes('application/json')) return queries.map((query) => ({ query, body: 'no archive' }));
  // A new route that takes JSON needs an example in its contract.
  if (route.examples.length === 0) throw new Error(`${route.id} has no example of a body`);
  return route.examples.flatMap((example) => [
    { query: '', body: example as object },
    { query: '', body: { ...(example as object), namespace, filter: { documentId: ids.documentId } } },
    { query: '', body: { ...(example as object), namespace } },
  ]);
}
