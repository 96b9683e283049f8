import type { SearchRequest, SearchResponse } from '../contracts/model/search.ts';
import { cachedSearch } from './cached-search.ts';
import { retrieve, type SearchDeps } from './retrieve.ts';

export type { SearchDeps } from './retrieve.ts';

/**
 * Answers a search with chunks of active versions in the tenant's namespace, best first.
 * @throws MemoryError `unprocessable` for an `asOf` beyond retention; `dependency_unavailable` where the ledger, the namespace's embedding
 * model or the vector index is away; `cancelled` by `signal`.
 */
export async function search(
  deps: SearchDeps,
  tenant: string,
  request: SearchRequest,
  signal?: AbortSignal,
): Promise<SearchResponse> {
  // History loses what is too old without a change of the documents, and is asked for too seldom to be kept.
  if (deps.results && request.asOf === undefined) {
    return cachedSearch(deps, deps.results, tenant, request, signal);
  }
  const { response } = await retrieve(deps, tenant, request, signal);
  return response;
}
