import { idf, saturation } from './bm25.ts';

/** A namespace's postings and what is asked of them, as plain numbers: to be scored in whatever thread. */
export interface ScoringTask {
  /** For each term: `ordinal << 5 | frequency`, ascending. */
  readonly lists: readonly Uint32Array[];
  readonly terms: readonly { readonly weight: number; readonly common: boolean }[];
  /** In how many active chunks each term is, where that is known. */
  readonly frequencies: readonly (number | undefined)[];
  /** Words by ordinal; 0 where the chunk is not active. */
  readonly lengths: Uint16Array;
  /** Active chunks, and their words together. */
  readonly count: number;
  readonly totalLength: number;
  readonly select: Selection;
}

export type Selection =
  | {
      readonly kind: 'best';
      readonly limit: number;
      /** From, to (not included), from, to, … ascending: only these ordinals. All where absent. */
      readonly ranges?: Uint32Array | undefined;
      /** Only chunks that are in each of these lists. */
      readonly required?: readonly number[] | undefined;
    }
  /** The scores of just these, ascending. */
  | { readonly kind: 'these'; readonly ordinals: Uint32Array };

export interface ScoringResult {
  readonly frequencies: number[];
  readonly ordinals: number[];
  readonly scores: number[];
}

/** A term's list, with what a posting in it is multiplied by. */
interface Factored {
  readonly list: Uint32Array;
  readonly factor: number;
}

/** Where ranges cover less than one in so many ordinals, each is looked up instead of every posting being added up. */
const fewOrdinals = 16;

/**
 * BM25 over the terms, weighted. A common term's idf is at most that of one in half of the chunks: a small collection
 * does not show which words are.
 */
export function scorePostings(task: ScoringTask): ScoringResult {
  const { lists, terms, lengths, count, totalLength, select } = task;
  const averageLength = averageLengthOf(totalLength, count);
  const frequencies = lists.map((list, at) => task.frequencies[at] ?? frequencyOf(list, lengths));
  const factored = lists.flatMap((list, at): Factored[] => {
    const term = terms[at];
    const frequency = frequencies[at]!;
    return term && frequency > 0 ? [{ list, factor: term.weight * idfOf(term.common, count, frequency) }] : [];
  });
  if (select.kind === 'these') {
    const scores = scoresOf(select.ordinals, factored, lengths, averageLength);
    return { frequencies, ordinals: [...select.ordinals], scores: [...scores] };
  }
  const few = fewOf(select, lists, lengths);
  const best = createBest(select.limit);
  if (few) {
    const scores = scoresOf(few, factored, lengths, averageLength);
    for (let at = 0; at < few.length; at += 1) best.offer(few[at]!, scores[at]!);
  } else {
    const scores = accumulated(factored, lengths, averageLength);
    const ranges = select.ranges ?? Uint32Array.of(0, lengths.length);
    for (let at = 0; at < ranges.length; at += 2) {
      const end = Math.min(ranges[at + 1]!, lengths.length);
      for (let ordinal = ranges[at]!; ordinal < end; ordinal += 1) {
        if (scores[ordinal]! > best.bar) best.offer(ordinal, scores[ordinal]!);
      }
    }
    scores.fill(0, 0, lengths.length);
  }
  return { frequencies, ...best.take() };
}

export const idfOf = (common: boolean, count: number, frequency: number): number =>
  idf(count, common ? Math.max(frequency, count / 2) : frequency);

export const averageLengthOf = (totalLength: number, count: number): number => totalLength / Math.max(1, count);

/** In how many active chunks a term is. */
function frequencyOf(list: Uint32Array, lengths: Uint16Array): number {
  let frequency = 0;
  for (let at = 0; at < list.length; at += 1) if (lengths[list[at]! >>> 5]! > 0) frequency += 1;
  return frequency;
}

/** The ordinals that may be among the best, ascending, where they are few enough to be looked up one by one. */
function fewOf(
  { ranges, required }: Extract<Selection, { kind: 'best' }>,
  lists: readonly Uint32Array[],
  lengths: Uint16Array,
): Uint32Array | undefined {
  if (required && required.length > 0) {
    const wanted = required.map((at) => lists[at] ?? new Uint32Array(0)).sort((a, b) => a.length - b.length);
    return inAll(wanted, lengths, ranges);
  }
  if (!ranges) return undefined;
  let covered = 0;
  for (let at = 0; at < ranges.length; at += 2) covered += ranges[at + 1]! - ranges[at]!;
  if (covered * fewOrdinals >= lengths.length) return undefined;
  const ordinals = new Uint32Array(covered);
  let filled = 0;
  for (let at = 0; at < ranges.length; at += 2) {
    for (let ordinal = ranges[at]!; ordinal < ranges[at + 1]!; ordinal += 1) ordinals[filled++] = ordinal;
  }
  return ordinals;
}

/** The active ordinals in every list (the shortest first), within the ranges. */
function inAll(wanted: readonly Uint32Array[], lengths: Uint16Array, ranges: Uint32Array | undefined): Uint32Array {
  const shortest = wanted[0]!;
  const others = wanted.slice(1);
  const found = new Uint32Array(shortest.length);
  const places = others.map(() => 0);
  let filled = 0;
  let range = 0;
  for (let at = 0; at < shortest.length; at += 1) {
    const ordinal = shortest[at]! >>> 5;
    if (!lengths[ordinal]) continue;
    if (ranges) {
      while (range < ranges.length && ranges[range + 1]! <= ordinal) range += 2;
      if (range >= ranges.length) break;
      if (ordinal < ranges[range]!) continue;
    }
    let everywhere = true;
    for (let other = 0; other < others.length && everywhere; other += 1) {
      const list = others[other]!;
      const place = placeFrom(list, places[other]!, ordinal);
      places[other] = place;
      everywhere = place < list.length && list[place]! >>> 5 === ordinal;
    }
    if (everywhere) found[filled++] = ordinal;
  }
  return found.subarray(0, filled);
}

/** The first place at or after `from` whose ordinal is not smaller: steps that double, then halving. */
function placeFrom(list: Uint32Array, from: number, ordinal: number): number {
  let low = from;
  let step = 1;
  while (low + step < list.length && list[low + step]! >>> 5 < ordinal) {
    low += step;
    step *= 2;
  }
  let high = Math.min(list.length, low + step);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! >>> 5 < ordinal) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The scores of some ordinals (ascending), each looked up in every list. */
function scoresOf(
  ordinals: Uint32Array,
  terms: readonly Factored[],
  lengths: Uint16Array,
  averageLength: number,
): Float32Array {
  const found = new Float32Array(ordinals.length);
  for (const { list, factor } of terms) {
    let place = 0;
    for (let at = 0; at < ordinals.length && place < list.length; at += 1) {
      const ordinal = ordinals[at]!;
      place = placeFrom(list, place, ordinal);
      if (place >= list.length || list[place]! >>> 5 !== ordinal) continue;
      const length = lengths[ordinal]!;
      if (length > 0) found[at] = found[at]! + factor * saturation(list[place]! & 31, length, averageLength);
    }
  }
  return found;
}

/** One for all: nothing else runs in a thread while a query is scored. Grows with the largest namespace. */
let sums = new Float32Array(0);

/** Every ordinal's score. Whoever has read them sets them to 0 again. */
function accumulated(terms: readonly Factored[], lengths: Uint16Array, averageLength: number): Float32Array {
  if (sums.length < lengths.length) sums = new Float32Array(lengths.length * 2);
  for (const { list, factor } of terms) {
    for (let at = 0; at < list.length; at += 1) {
      const posting = list[at]!;
      const ordinal = posting >>> 5;
      const length = lengths[ordinal]!;
      if (length > 0) sums[ordinal] = sums[ordinal]! + factor * saturation(posting & 31, length, averageLength);
    }
  }
  return sums;
}

/** Keeps the highest of what it is offered in the order of their ordinals; of two alike the first. */
function createBest(limit: number) {
  let kept: { ordinal: number; score: number }[] = [];
  const best = {
    /** What is not above it need not be offered. */
    bar: 0,
    offer(ordinal: number, score: number): void {
      if (score <= best.bar) return;
      kept.push({ ordinal, score });
      if (kept.length >= limit * 4) cut();
    },
    take(): { ordinals: number[]; scores: number[] } {
      cut();
      return { ordinals: kept.map(({ ordinal }) => ordinal), scores: kept.map(({ score }) => score) };
    },
  };
  const cut = () => {
    kept.sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
    kept = kept.slice(0, limit);
    const last = kept[limit - 1];
    if (last) best.bar = last.score;
  };
  return best;
}
