import { maxCoreTokens, minCoreTokens } from './limits.ts';
import { cutRank } from './units.ts';

export interface Candidate {
  readonly weight: number;
  readonly rank: number;
  /** Tells which of several equal cuts is made: a hash of the text behind the cut. */
  readonly hash: number;
}

/** Half-open, of candidates or of units. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Deeper than chance makes it: from here on cuts are even, so that no text can make this slow. */
const maxHashedDepth = 64;

/**
 * Parts of at most `maxCoreTokens`, as half-open ranges of candidates, of which there is at least one.
 *
 * A range is cut at the candidate of the best rank with the smallest hash, then each side by itself, as a treap is
 * built (Aragon and Seidel 1989). Where a cut falls thus depends on the text around it and never on how much text came
 * before: after an edit, an insertion or a deletion, only the parts that touch it change. Filling chunks one after the
 * other would move every later cut.
 */
export function* partition(candidates: readonly Candidate[]): Generator<Range, void> {
  const before = new Float64Array(candidates.length + 1);
  candidates.forEach(({ weight }, i) => {
    before[i + 1] = before[i]! + weight;
  });
  function* divide(from: number, to: number, depth: number): Generator<Range, void> {
    if (to - from <= 1 || before[to]! - before[from]! <= maxCoreTokens) {
      yield { from, to };
      return;
    }
    const cut = bestCut(candidates, before, { from, to }, depth < maxHashedDepth);
    yield* divide(from, cut, depth + 1);
    yield* divide(cut, to, depth + 1);
  }
  yield* divide(0, candidates.length, 0);
}

/** Kinds of cuts, the preferred first. Even cuts are the ones taken where every other leaves too little on a side. */
const tiers = [
  { maxRank: cutRank.section, even: false },
  { maxRank: cutRank.block, even: false },
  { maxRank: cutRank.sentence, even: false },
  { maxRank: cutRank.block, even: true },
  { maxRank: cutRank.inner, even: false },
  { maxRank: cutRank.inner, even: true },
  { maxRank: cutRank.never, even: true },
] as const;

function bestCut(
  candidates: readonly Candidate[],
  before: Float64Array,
  { from, to }: { from: number; to: number },
  hashed: boolean,
): number {
  const best = tiers.map(() => ({ at: -1, hash: Number.POSITIVE_INFINITY, unevenness: Number.POSITIVE_INFINITY }));
  for (let at = from + 1; at < to; at++) {
    const left = before[at]! - before[from]!;
    const right = before[to]! - before[at]!;
    const { rank, hash } = candidates[at]!;
    const unevenness = Math.abs(left - right);
    for (let tier = 0; tier < tiers.length; tier++) {
      const { maxRank, even } = tiers[tier]!;
      if (rank > maxRank || (!even && (left < minCoreTokens || right < minCoreTokens))) continue;
      const found = best[tier]!;
      const score = even || !hashed ? 0 : hash;
      // Equal texts have equal hashes: the middle one then, or a text of one repeated line is cut line by line.
      if (score > found.hash || (score === found.hash && unevenness >= found.unevenness)) continue;
      best[tier] = { at, hash: score, unevenness };
    }
  }
  return best.find((cut) => cut.at >= 0)!.at;
}
