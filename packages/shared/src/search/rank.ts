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
  /** What the relevance was the sum of when it was first told, by side. */
  readonly parts?: Readonly<Record<string, number>>;
}

export interface RankedCandidate extends Candidate {
  readonly score: number;
  /** Absent where recency was not asked for. */
  readonly recency?: Recency;
  /** Of the hits chosen before it, the one that it is likest to; absent where diversity was not asked for. */
  readonly likest?: { readonly chunkId: string; readonly similarity: number };
}

export interface Recency {
  /** 1 for a new document, a half after each half-life. */
  readonly factor: number;
  readonly ageDays: number;
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

/** Whatever its score was made of, before recency. */
export const relevanceOf = ({ relevance, similarity }: Candidate): number => relevance ?? similarity;

/** What is negative must not rise by being old. */
export const weightedBy = (relevance: number, recency: Recency | undefined): number =>
  recency && relevance > 0 ? relevance * recency.factor : relevance;

function recencyOf(candidate: Candidate, halfLifeDays: number, nowMs: number): Recency {
  const ageDays = Math.max(0, nowMs - Date.parse(candidate.row.createdAt)) / dayMs;
  return { factor: 2 ** (-ageDays / halfLifeDays), ageDays };
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
    .map((candidate): RankedCandidate => {
      const found = recency && recencyOf(candidate, recency.halfLifeDays, nowMs);
      const score = weightedBy(relevanceOf(candidate), found);
      return { ...candidate, score, ...(found ? { recency: found } : {}) };
    })
    .sort(byScore);
  return capPerDocument(scored, perDocument).slice(0, topK);
}
