import type { SearchRequest, SearchResponse } from '../contracts/model/search.ts';
import { type SearchDeps, search } from './search.ts';

/** Enough to overlap embedding with the index's answers, few enough to leave room for single searches. */
const concurrency = 4;

/**
 * Answers many searches, in order. The first that fails fails the whole: half an answer would look like a whole one.
 * @throws as `search`.
 */
export async function searchBatch(
  deps: SearchDeps,
  tenant: string,
  requests: readonly SearchRequest[],
  signal?: AbortSignal,
): Promise<SearchResponse[]> {
  const failure = new AbortController();
  const either = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  const results: SearchResponse[] = [];
  const queue = requests.entries();
  async function work(): Promise<void> {
    for (const [index, request] of queue) {
      if (failure.signal.aborted) return;
      results[index] = await search(deps, tenant, request, either);
    }
  }
  const workers = Array.from({ length: Math.min(concurrency, requests.length) }, async () => {
    try {
      await work();
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  });
  const outcomes = await Promise.allSettled(workers);
  // The others fail because the first one did; its error is the reason of the abort.
  if (outcomes.some((outcome) => outcome.status === 'rejected')) throw failure.signal.reason;
  return results;
}
