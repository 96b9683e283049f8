import type { Explanation } from '../contracts/model/explanation.ts';
import type { Passage } from './neighbours.ts';
import type { QueryWords } from './query-words.ts';
import { type Candidate, type RankedCandidate, relevanceOf, weightedBy } from './rank.ts';

/** Places of the candidates on each side, by `chunkId`, from 1; equal ones share the best of theirs. */
export interface SideRanks {
  readonly dense: ReadonlyMap<string, number>;
  /** Only of those that have a word of the query. */
  readonly lexical: ReadonlyMap<string, number>;
}

export function sideRanks(candidates: readonly Candidate[]): SideRanks {
  return {
    dense: places(({ similarity }) => similarity, candidates),
    lexical: places(
      ({ lexical }) => lexical as number,
      candidates.filter(({ lexical = 0 }) => lexical > 0),
    ),
  };
}

function places(scoreOf: (candidate: Candidate) => number, among: readonly Candidate[]): Map<string, number> {
  const ranks = new Map<string, number>();
  let before: { readonly score: number; readonly rank: number } | undefined;
  for (const [at, candidate] of among.toSorted((a, b) => scoreOf(b) - scoreOf(a)).entries()) {
    const score = scoreOf(candidate);
    if (before?.score !== score) before = { score, rank: at + 1 };
    ranks.set(candidate.chunkId, before.rank);
  }
  return ranks;
}

/** @param context.embedded whether the query was, without which no similarity is known */
export function explain(
  { hit, text }: Passage,
  context: { readonly rank: number; readonly ranks: SideRanks; readonly words: QueryWords; readonly embedded: boolean },
): Explanation {
  const { rank, ranks, words, embedded } = context;
  const { chunkId, similarity, lexical, rerank, recency, likest } = hit;
  const lexicalRank = ranks.lexical.get(chunkId);
  return {
    rank,
    ...(embedded ? { dense: { rank: ranks.dense.get(chunkId) as number, similarity } } : {}),
    ...(lexical === undefined
      ? {}
      : { lexical: { ...(lexicalRank === undefined ? {} : { rank: lexicalRank }), score: lexical } }),
    ...(rerank === undefined ? {} : { rerank }),
    matched: matchedIn([hit.row.title, text], words),
    parts: partsOf(hit),
    ...(recency ? { recency } : {}),
    ...(likest ? { likest } : {}),
  };
}

function matchedIn(texts: readonly string[], words: QueryWords): Explanation['matched'] {
  const terms = new Set<string>();
  const identifiers = new Set<string>();
  for (const text of texts) {
    for (const { start, end, isIdentifier } of words.matchesIn(text))
      (isIdentifier ? identifiers : terms).add(text.slice(start, end));
  }
  return { terms: [...terms], identifiers: [...identifiers] };
}

/** Less is the rounding of sums. */
const leastPart = 1e-9;

/** Every step's own share, so that their sum is the score. */
function partsOf(hit: RankedCandidate): Record<string, number> {
  const parts: Record<string, number> = { ...(hit.parts ?? { dense: relevanceOf(hit) }) };
  let sum = Object.values(parts).reduce((total, part) => total + part, 0);
  const add = (name: string, total: number) => {
    if (Math.abs(total - sum) > leastPart) parts[name] = total - sum;
    sum = total;
  };
  const relevance = relevanceOf(hit);
  add('rerank', relevance);
  add('recency', weightedBy(relevance, hit.recency));
  add('diversity', hit.score);
  return parts;
}
