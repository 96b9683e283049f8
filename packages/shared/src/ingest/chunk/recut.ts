import { filledChunkTokens, maxCoreTokens, minCoreTokens, tinySectionTokens } from './limits.ts';
import type { Range } from './partition.ts';
import type { SectionUnit } from './sections.ts';
import { cutRank } from './units.ts';

/** More than this is cut by hash like a new text; what one edit touches is less. */
export const recutTokens = 4 * maxCoreTokens;

/** Less than this takes a neighbour in. With less than a usual chunk as the bound, chunks shrink from edit to edit. */
const leastGapTokens = 140;

/**
 * What lies between the ranges that are kept: half-open ranges of units, in order. One that would make a small chunk
 * takes a neighbour in, which then is no longer kept.
 */
export function gapsBetween(units: readonly SectionUnit[], kept: readonly Range[]): { gaps: Range[]; kept: Range[] } {
  const gaps: Range[] = [];
  const left: Range[] = [];
  let at = 0;
  for (let index = 0; index <= kept.length; index++) {
    const next = kept[index];
    const gap = { from: at, to: next?.from ?? units.length };
    at = next?.to ?? units.length;
    const before = left.at(-1);
    if (gap.from === gap.to || weightOfRange(units, gap) >= leastGapTokens) {
      if (gap.from < gap.to) gaps.push(gap);
      if (next) left.push(next);
    } else if (next && goesOn(units, gap, next)) gaps.push({ from: gap.from, to: next.to });
    else if (before && before.to === gap.from && units[gap.from]!.rank > cutRank.section) {
      left.pop();
      gaps.push({ from: before.from, to: gap.to });
      if (next) left.push(next);
    } else {
      gaps.push(gap);
      if (next) left.push(next);
    }
  }
  return { gaps, kept: left };
}

const weightOfRange = (units: readonly SectionUnit[], { from, to }: Range) => {
  let weight = 0;
  for (let at = from; at < to; at++) weight += units[at]!.weight;
  return weight;
};

/** Whether a gap may share a chunk with what follows: the same section, or a tiny one and the next, as in a new text. */
function goesOn(units: readonly SectionUnit[], gap: Range, next: Range): boolean {
  const following = units[next.from]!;
  if (following.rank > cutRank.section) return true;
  const { level } = units[gap.from]!;
  return weightOfRange(units, gap) < tinySectionTokens && following.level >= level && following.level > 1;
}

/** What a cut before a unit of each rank costs, against evenness. */
const cutCosts: Record<number, number> = {
  [cutRank.section]: 0,
  [cutRank.block]: 0,
  [cutRank.sentence]: 20,
  [cutRank.inner]: 200,
  [cutRank.never]: 1000,
};
const partCost = 1e6;
const tinyCost = 1e4;
const overfullCost = 100;

/**
 * Cuts a range into as few parts as it can be, at the best places, evenly (dynamic programming over the last cut, as
 * Knuth and Plass 1981 break lines). For short ranges: it asks for every pair of cuts that a chunk could lie between.
 */
export function fewestParts(units: readonly SectionUnit[], range: Range): Range[] {
  const count = range.to - range.from;
  const costs = new Float64Array(count + 1).fill(Number.POSITIVE_INFINITY);
  const cutBefore = new Int32Array(count + 1);
  costs[0] = 0;
  for (let end = 1; end <= count; end++) {
    let weight = 0;
    for (let start = end - 1; start >= 0; start--) {
      weight += units[range.from + start]!.weight;
      // A unit alone is never too much: nothing could be cut from it.
      if (weight > filledChunkTokens && start < end - 1) break;
      const cost =
        costs[start]! +
        partCost +
        (start === 0 ? 0 : cutCosts[units[range.from + start]!.rank]!) +
        (weight / 10) ** 2 +
        (weight < minCoreTokens ? (tinyCost * (minCoreTokens - weight)) / minCoreTokens : 0) +
        (weight > maxCoreTokens ? overfullCost : 0);
      if (cost < costs[end]!) {
        costs[end] = cost;
        cutBefore[end] = start;
      }
    }
  }
  const parts: Range[] = [];
  for (let end = count; end > 0; end = cutBefore[end]!)
    parts.unshift({ from: range.from + cutBefore[end]!, to: range.from + end });
  return parts;
}
