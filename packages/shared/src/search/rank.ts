import type { SearchRequest } from '../contracts/model/search.ts';
import type { DocumentRow } from '../ports/ledger.ts';
import type { VectorHit } from '../ports/vector-index.ts';

/** A chunk that is active and asked for. Title and metadata come from the row, so that a PATCH shows at once. */
export interface Candidate extends VectorHit {
  readonly row: DocumentRow;
  /** How well its words match, where they were looked at. */
  readonly lexical?: number;
  /** What the reranker says of it, where it was asked. */
  readonly rerank?: number;
  /** What the score is made of; the similarity where absent. */
  readonly relevance?: number;
}

export interface RankedCandidate extends Candidate {
  readonly score: number;
  /** 1 for a new document, a half after each half-life; absent where recency was not asked for. */
  readonly recencyWeight?: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Keeps the first `limit` of each document, in order; all without a limit. */
export function capPerDocument<Item extends { readonly documentId: string }>(
  items: readonly Item[],
  limit: number | undefined,
): Item[] {
  if (limit === undefined) return [...items];
  const counts = new Map<string, number>();
  return items.filter((item) => {
    const count = (counts.get(item.documentId) ?? 0) + 1;
    counts.set(item.documentId, count);
    return count <= limit;
  });
}

const relevanceOf = ({ relevance, similarity }: Candidate) => relevance ?? similarity;

function weighted(candidate: Candidate, halfLifeDays: number, nowMs: number): RankedCandidate {
  const ageDays = Math.max(0, nowMs - Date.parse(candidate.row.createdAt)) / dayMs;
  const recencyWeight = 2 ** (-ageDays / halfLifeDays);
  // What is negative must not rise by being old.
  const relevance = relevanceOf(candidate);
  const score = relevance > 0 ? relevance * recencyWeight : relevance;
  return { ...candidate, score, recencyWeight };
}

// Ties are broken by chunk, so that the same memory gives the same order.
const byScore = (a: RankedCandidate, b: RankedCandidate) =>
  b.score - a.score || (a.chunkId < b.chunkId ? -1 : a.chunkId > b.chunkId ? 1 : 0);

/**
 * Puts candidates in order and keeps what the request asks for. `score` is the relevance, times
 * 2^(−age / half-life) of the document's creation where recency is asked for.
 */
export function rank(candidates: readonly Candidate[], request: SearchRequest, nowMs: number): RankedCandidate[] {
  const { minScore, recency, perDocument, topK } = request;
  const scored = candidates
    .filter((candidate) => minScore === undefined || candidate.similarity >= minScore)
    .map((candidate) =>
      recency ? weighted(candidate, recency.halfLifeDays, nowMs) : { ...candidate, score: relevanceOf(candidate) },
    )
    .sort(byScore);
  return capPerDocument(scored, perDocument).slice(0, topK);
}
