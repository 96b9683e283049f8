import type { LexicalRanking, LexicalTerm } from '../../ports/lexical-index.ts';
import { idf } from './bm25.ts';
import { isFunctionTerm } from './function-words.ts';
import { averageLengthOf, idfOf } from './score-postings.ts';
import { isOfAlphabet } from './scripts.ts';
import { isCharacter, type TermSpace, termsOf, wordsOf } from './terms.ts';

/**
 * Stems and prefixes share the weight of a word; an identifier that occurs whole counts like a word of its own; a word of
 * five characters, in a script without spaces, has two fours that are all its own.
 */
const spaceWeights: Record<TermSpace, number> = { s: 0.5, p: 0.5, i: 1, u: 1, q: 0.5, c: 1 };
/** Of the fours of a query, that many: of a longer one those at even distances. */
const maxFours = 50;
/** Of a query; a pasted page would otherwise read a list for each of its words. */
const maxQueryTerms = 64;

/**
 * The terms of a query, each with its weight times how often it is said.
 * @param required are among them whatever they weigh
 */
export function queryTerms(query: string, required: readonly string[] = []): LexicalTerm[] {
  const weights = new Map<string, number>();
  // A character says little beside words, but where a query is one, it is all there is to find.
  const left: TermSpace = wordsOf(query).every(isCharacter) ? 'u' : 'c';
  const { terms: all } = termsOf(query);
  const fours = all.filter((term) => term.startsWith('q'));
  const step = Math.ceil(fours.length / maxFours);
  const dropped = new Set(fours.filter((_, at) => at % step > 0));
  // Of an alphabet a pair counts only in a word that is too short to have fours.
  const isInFour = (term: string) =>
    term.startsWith('u') && isOfAlphabet(term.slice(1)) && fours.some((four) => four.includes(term.slice(1)));
  for (const term of all) {
    const space = term[0] as TermSpace;
    if (space === left || dropped.has(term) || isInFour(term)) continue;
    weights.set(term, (weights.get(term) ?? 0) + spaceWeights[space]);
  }
  const terms = new Map([...weights].slice(0, maxQueryTerms));
  for (const term of required) terms.set(term, weights.get(term) ?? 0);
  return [...terms].map(([term, weight]) => ({ term, weight, common: isFunctionTerm(term) }));
}

/**
 * How rare the terms of a query are, as far as it has them. `ideal` is what a chunk of average length with each term once
 * would score.
 */
export function statisticsOf(ranking: Omit<LexicalRanking, 'hits' | 'whole'>, terms: readonly LexicalTerm[]) {
  const { count, totalLength, frequencies } = ranking;
  const idfs = new Map(terms.map(({ term, common }, at) => [term, idfOf(common, count, frequencies[at] as number)]));
  return {
    ideal: terms.reduce((sum, { term, weight }) => sum + weight * (idfs.get(term) as number), 0),
    idfOfStem: (stem: string) => idfs.get(`s${stem}`) ?? idfs.get(`u${stem}`) ?? 0,
    idfOfFrequency: (frequency: number) => idf(count, frequency),
    averageLength: averageLengthOf(totalLength, count),
  };
}
