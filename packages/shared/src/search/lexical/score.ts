import type { ChunkAddress, Postings } from '../../ports/lexical-index.ts';
import { idf, saturation } from './bm25.ts';
import { isFunctionTerm } from './function-words.ts';
import { type TermSpace, termsOf } from './terms.ts';

/** Stems and prefixes share the weight of a word; an identifier that occurs whole counts like a word of its own. */
const spaceWeights: Record<TermSpace, number> = { s: 0.5, p: 0.5, i: 1 };
/** Of a query; a pasted page would otherwise read a list for each of its words. */
const maxQueryTerms = 64;

export interface QueryTerm {
  readonly term: string;
  readonly weight: number;
}

/** The terms of a query, each with its weight times how often it is said. */
export function queryTerms(query: string): QueryTerm[] {
  const weights = new Map<string, number>();
  for (const term of termsOf(query).terms) {
    weights.set(term, (weights.get(term) ?? 0) + spaceWeights[term[0] as TermSpace]);
  }
  return [...weights].slice(0, maxQueryTerms).map(([term, weight]) => ({ term, weight }));
}

export interface LexicalHit extends ChunkAddress {
  readonly score: number;
}

/** One for all: nothing else runs while a query is scored. Grows with the largest namespace. */
let scores = new Float32Array(0);

/**
 * How rare the terms of a query are, as far as it has them. `ideal` is what a chunk of average length with each term once
 * would score.
 */
export function statisticsOf(postings: Postings, terms: readonly QueryTerm[]) {
  const idfs = new Map<string, number>();
  terms.forEach(({ term }, at) => {
    const frequency = frequencyOf(postings.lists[at] ?? new Uint32Array(0), postings.lengths);
    idfs.set(term, idfOf(term, postings.count, frequency));
  });
  return {
    ideal: terms.reduce((sum, { term, weight }) => sum + weight * (idfs.get(term) ?? 0), 0),
    idfOfStem: (stem: string) => idfs.get(`s${stem}`) ?? 0,
    idfOfFrequency: (frequency: number) => idf(postings.count, frequency),
    averageLength: averageLengthOf(postings),
  };
}

/** Of function words it is known beforehand that half of all chunks have them; a small collection does not show it. */
const idfOf = (term: string, count: number, frequency: number): number =>
  idf(count, isFunctionTerm(term) ? Math.max(frequency, count / 2) : frequency);

const averageLengthOf = ({ totalLength, count }: Postings) => totalLength / Math.max(1, count);

/** In how many active chunks a term is. */
function frequencyOf(list: Uint32Array, lengths: Uint16Array): number {
  let frequency = 0;
  for (const posting of list) if (lengths[posting >>> 5]) frequency += 1;
  return frequency;
}

/**
 * Scores every chunk that holds a term of the query.
 * @param options.accepts says which documents' versions may be among the best
 * @param options.also chunks whose score is wanted whether or not they are
 * @returns the best, best first, and the scores of the others asked for (0 where nothing matches), in their order
 */
export function scoreLexically(
  postings: Postings,
  terms: readonly QueryTerm[],
  options: {
    readonly limit: number;
    readonly accepts: (documentId: string, version: number) => boolean;
    readonly also?: readonly ChunkAddress[];
  },
): { best: LexicalHit[]; also: number[] } {
  const { lengths } = postings;
  if (scores.length < lengths.length) scores = new Float32Array(lengths.length * 2);
  const averageLength = averageLengthOf(postings);
  terms.forEach(({ term, weight }, at) => {
    const list = postings.lists[at];
    if (list && list.length > 0)
      accumulate(list, lengths, weight, (frequency) => idfOf(term, postings.count, frequency), averageLength);
  });
  const best = bestOf(postings, options.limit, options.accepts);
  const also = (options.also ?? []).map(({ documentId, version, index }) => {
    const range = postings.rangeOf(documentId);
    return range?.version === version && index < range.count ? (scores[range.base + index] ?? 0) : 0;
  });
  scores.fill(0, 0, lengths.length);
  return { best, also };
}

function accumulate(
  list: Uint32Array,
  lengths: Uint16Array,
  weight: number,
  idfOfTerm: (frequency: number) => number,
  averageLength: number,
): void {
  const frequency = frequencyOf(list, lengths);
  if (frequency === 0) return;
  const factor = weight * idfOfTerm(frequency);
  for (const posting of list) {
    const ordinal = posting >>> 5;
    const length = lengths[ordinal];
    if (length) scores[ordinal] = (scores[ordinal] ?? 0) + factor * saturation(posting & 31, length, averageLength);
  }
}

function bestOf(
  postings: Postings,
  limit: number,
  accepts: (documentId: string, version: number) => boolean,
): LexicalHit[] {
  let found: LexicalHit[] = [];
  let bar = 0;
  const cut = () => {
    // Ties by place, so that the same memory gives the same order.
    found.sort((a, b) => b.score - a.score);
    found = found.slice(0, limit);
    if (found.length === limit) bar = found.at(-1)?.score ?? 0;
  };
  for (let ordinal = 0; ordinal < postings.lengths.length; ordinal += 1) {
    const score = scores[ordinal] ?? 0;
    if (score <= bar) continue;
    const address = postings.addressOf(ordinal);
    if (!address || !accepts(address.documentId, address.version)) continue;
    found.push({ ...address, score });
    if (found.length >= limit * 4) cut();
  }
  cut();
  return found;
}
