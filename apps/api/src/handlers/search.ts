import { search } from '@semantic-memory/shared/search/search';
import { searchBatch } from '@semantic-memory/shared/search/search-batch';
import { stats } from '@semantic-memory/shared/search/stats';
import type { ApiDeps } from '../api-deps.ts';
import { type Handlers, ok } from '../endpoint-handler.ts';

export function searchHandlers(deps: ApiDeps): Pick<Handlers, 'search' | 'searchBatch' | 'stats'> {
  return {
    search: async ({ tenant, signal }, { body }) => ok(await search(deps, tenant, body, signal)),
    async searchBatch({ tenant, signal }, { body: { queries } }) {
      // The call itself is counted already.
      await deps.quotas?.count(tenant, { requests: queries.length - 1 });
      return ok({ results: await searchBatch(deps, tenant, queries, signal) });
    },
    stats: async ({ tenant }) => ok(await stats(deps, tenant)),
  };
}
