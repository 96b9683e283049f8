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

// Ties are broken by place, so that the same memory gives the same order, and of copies the first one stands first.
const byScore = (a: RankedCandidate, b: RankedCandidate) =>
  b.score - a.score || (a.documentId < b.documentId ? -1 : a.documentId > b.documentId ? 1 : a.index - b.index);

/** Copies of a text have vectors that are a little apart, or the index could not bear them: by less than this in relevance. */
const mostBetweenCopies = 1e-3;

/** Gives texts that are the same the same relevance, where they differ by their vectors' chance only. */
function withEqualCopies(candidates: readonly Candidate[]): Candidate[] {
  const highest = new Map<string, number>();
  for (const candidate of candidates)
    highest.set(
      candidate.text,
      Math.max(relevanceOf(candidate), highest.get(candidate.text) ?? Number.NEGATIVE_INFINITY),
    );
  return candidates.map((candidate) => {
    const { text, parts } = candidate;
    const relevance = highest.get(text) as number;
    const lacking = relevance - relevanceOf(candidate);
    if (lacking === 0 || lacking > mostBetweenCopies || (parts && parts.dense === undefined)) return candidate;
    return {
      ...candidate,
      relevance,
      ...(parts ? { parts: { ...parts, dense: (parts.dense as number) + lacking } } : {}),
    };
  });
}

/**
 * Puts candidates in order and keeps what the request asks for. `score` is the relevance, times
 * 2^(−age / half-life) of the document's creation where recency is asked for. Of copies of a text the first one comes first.
 */
export function rank(candidates: readonly Candidate[], request: SearchRequest, nowMs: number): RankedCandidate[] {
  const { minScore, recency, perDocument, topK } = request;
  const near = candidates.filter(({ similarity }) => minScore === undefined || similarity >= minScore);
  const scored = withEqualCopies(near)
    .map((candidate): RankedCandidate => {
      const found = recency && recencyOf(candidate, recency.halfLifeDays, nowMs);
      const score = weightedBy(relevanceOf(candidate), found);
      return { ...candidate, score, ...(found ? { recency: found } : {}) };
    })
    .sort(byScore);
  return capPerDocument(scored, perDocument).slice(0, topK);
}
