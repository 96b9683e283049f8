import { type SearchRequest, SearchResponse } from '../contracts/model/search.ts';
import type { Found, Remembered, ResultCache } from './result-cache.ts';
import { type Retrieval, retrieve, type SearchDeps } from './retrieve.ts';
import { hitsStillTrue } from './still-true.ts';

/** Said of an answer from the cache while what it was computed with is away. */
export const staleReason = 'stale';

/**
 * As `search`, from the cache where the namespace has not changed since. The namespace's generation comes with the
 * documents, which every search reads first: what was committed, patched or deleted before the request is never missed.
 */
export async function cachedSearch(
  deps: SearchDeps,
  results: ResultCache,
  tenant: string,
  request: SearchRequest,
  signal?: AbortSignal,
): Promise<SearchResponse> {
  const startedAt = deps.clock.now();
  const scope = { tenant, namespace: request.namespace };
  const table = await deps.table.refresh(scope);
  const whole = async (own?: AbortSignal): Promise<Retrieval> => retrieve(deps, tenant, request, own, table);
  // While chunks are being brought back each search says so, and finds more of them.
  if (table.embeddingModel === undefined || table.indexIncomplete) return (await whole(signal)).response;
  const what: Remembered<SearchResponse> = {
    area: scope,
    kind: 'search',
    of: [table.embeddingModel, asked(request)],
    generation: table.generation,
    schema: SearchResponse,
    async ifStillTrue(response) {
      const hits = hitsStillTrue(response.hits, await deps.table.refresh(scope), request.filter);
      return hits && { ...response, hits };
    },
  };
  const found = await results.remember(
    what,
    async (own) => {
      const { response } = await whole(own);
      return { value: response, keep: !response.degraded };
    },
    signal,
  );
  if (found.origin === 'computed') return { ...found.value, tookMs: deps.clock.now() - startedAt };
  return measured(deps, found, table.embeddingModel, startedAt);
}

/** Members that mean the same as being absent do not make another request. */
function asked({ explain, rerank, diversity, neighbours, ...request }: SearchRequest): object {
  return {
    ...request,
    ...(explain ? { explain } : {}),
    ...(rerank === undefined ? {} : { rerank }),
    ...(diversity ? { diversity } : {}),
    ...(neighbours ? { neighbours } : {}),
  };
}

function measured(deps: SearchDeps, found: Found<SearchResponse>, model: string, startedAt: number): SearchResponse {
  const { value } = found;
  const degraded = [...(value.degraded ?? []), ...outages(deps, found, model)];
  for (const reason of degraded) deps.metrics.degraded(reason);
  const tookMs = deps.clock.now() - startedAt;
  deps.metrics.search(value.mode, tookMs / 1000);
  const { hits, mode } = value;
  return { hits, mode, tookMs, ...(degraded.length > 0 ? { degraded } : {}) };
}

/** What an answer from the cache was computed with and is known to be away now, and that it could not be made anew. */
function outages(deps: SearchDeps, { value, origin, stale }: Found<SearchResponse>, model: string): string[] {
  if (origin !== 'cache') return [];
  const away = [
    ...(value.mode !== 'lexical' && deps.vectors.outage?.() ? ['vector_index_unavailable'] : []),
    ...(deps.embedderFor(model)?.outage?.() ? ['embedder_unavailable'] : []),
  ];
  return stale || away.length > 0 ? [staleReason, ...away] : [];
}
