import { MemoryError } from '../contracts/errors.ts';
import type { SearchRequest } from '../contracts/model/search.ts';
import type { Reranker, Reranking, RerankQuery } from '../ports/reranker.ts';
import { liftedByNeighbours } from './neighbour-lift.ts';
import { type Candidate, relevanceOf } from './rank.ts';

/** Said where some passages were not looked at again: their token vectors were not there, or not in time. */
const skipped = 'rerank_skipped';
/** Said where the reranker is away, or was asked for and there is none for this search. */
const unavailable = 'rerank_unavailable';

export interface Reranked {
  readonly candidates: readonly Candidate[];
  readonly degraded: readonly string[];
}

/**
 * Adds to the best candidates what a reranker says of them, and lifts those that are whole documents towards better
 * neighbours. The others come after them as before, since no score lowers.
 *
 * @param candidates each with its `relevance`, in the units of the fusion
 */
export async function rerank(
  reranker: Reranker | undefined,
  query: RerankQuery,
  candidates: readonly Candidate[],
  { rerank: asked, minScore = Number.NEGATIVE_INFINITY }: SearchRequest,
  signal?: AbortSignal,
): Promise<Reranked> {
  if (asked === false) return { candidates, degraded: [] };
  if (!reranker?.suits(query)) return { candidates, degraded: asked ? [unavailable] : [] };
  const best = candidates
    .filter(({ similarity }) => similarity >= minScore)
    .sort((a, b) => relevanceOf(b) - relevanceOf(a))
    .slice(0, reranker.depth);
  if (best.length === 0) return { candidates, degraded: [] };
  const passages = best.map(({ documentId, version, index, row, text }) => ({
    ...{ documentId, version, index, text },
    title: row.title,
  }));
  let reranking: Reranking;
  try {
    reranking = await reranker.rerank(query, passages, signal);
  } catch (error) {
    if (error instanceof MemoryError && error.code === 'dependency_unavailable')
      return { candidates, degraded: [unavailable] };
    throw error;
  }
  const { scores, directions } = reranking;
  const known = scores.filter((score) => score !== undefined);
  // Fewer than half would say more about which passages could be read than about which are good.
  if (known.length * 2 < scores.length) return { candidates, degraded: [skipped] };
  const mean = known.reduce((sum, score) => sum + score, 0) / known.length;
  const relevance = best.map((candidate, at) => relevanceOf(candidate) + reranker.weight * (scores[at] ?? mean));
  // Chunks of one long document are neighbours anyway: there it would only favour long documents.
  const isWhole = best.map(({ row }) => row.chunks === 1);
  const lifted = directions
    ? liftedByNeighbours(
        relevance,
        directions.map((direction, at) => (isWhole[at] ? direction : undefined)),
      )
    : relevance;
  const again = new Map(
    best.map((candidate, at): [string, Candidate] => {
      const score = scores[at];
      const found = { ...candidate, relevance: lifted[at] as number };
      return [candidate.chunkId, score === undefined ? found : { ...found, rerank: score }];
    }),
  );
  return {
    candidates: candidates.map((candidate) => again.get(candidate.chunkId) ?? candidate),
    degraded: known.length < scores.length ? [skipped] : [],
  };
}
