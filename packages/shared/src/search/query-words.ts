import type { Span } from '../contracts/model/ids.ts';
import { plain } from './lexical/fold.ts';
import { functionWords } from './lexical/function-words.ts';
import { identifiersIn } from './lexical/identifiers.ts';
import { isAscii, unspaced, unspacedRuns, word } from './lexical/scripts.ts';
import { stemOf } from './lexical/terms.ts';

/** A place where a text has a word of the query. */
export interface WordMatch extends Span {
  /** The query's word; different forms of it are the same. */
  readonly word: string;
  readonly isIdentifier: boolean;
}

/** Finds the words of one query in texts. */
export interface QueryWords {
  /** In the order of their beginnings. Where an identifier stands whole, its parts elsewhere do not count. */
  matchesIn(text: string): WordMatch[];
  /** How much a match of a word says, above 0. */
  weightOf(word: string): number;
}

interface Wanted {
  readonly word: string;
  readonly stem: string;
  /** Stands in an identifier only: means nothing beside the whole one. */
  readonly isPart: boolean;
}

/** A word of the query that says less than this share of its best one is not looked for: "de", "la", "der". */
const leastShare = 0.25;
/** Words that differ in more than their ending are not the same: the shorter one may differ in this many characters. */
const endingCharacters = 1;
const leastShared = 5;
/** In other alphabets words inflect more, and English ones are not met by chance. */
const leastSharedElsewhere = 4;

/**
 * The words of a query that are worth marking: not the function words of English, nor, where it is known how rare words
 * are, what nearly every text has.
 * @param idfOfStem 0 where nothing is known of a stem
 */
export function createQueryWords(query: string, idfOfStem: (stem: string) => number = () => 0): QueryWords {
  const identifiers = identifiersOf(query);
  const wanted = new Map<string, Wanted>();
  const runs = new Set<string>();
  for (const part of partsOf(query)) {
    const text = plain(query.slice(part.start, part.end));
    if (part.isUnspaced) runs.add(text);
    else if (!functionWords.has(text)) {
      const isPart = identifiers.some(({ start, end }) => part.start >= start && part.end <= end);
      const alone = !isPart || wanted.get(text)?.isPart === false;
      wanted.set(text, { word: text, stem: stemOf(text), isPart: !alone });
    }
  }
  const weights = new Map([...wanted.values()].map(({ word: own, stem }) => [own, idfOfStem(stem)]));
  const most = Math.max(0, ...weights.values());
  for (const [own, weight] of weights) if (weight > 0 && weight < most * leastShare) wanted.delete(own);
  const words = Map.groupBy(wanted.values(), ({ word: own }) => beginningOf(own));
  return {
    matchesIn: (text) => matchesIn(text, words, runs, new Set(identifiers.map(({ word: own }) => own))),
    weightOf: (own) => weights.get(own) || most || 1,
  };
}

/** Names as postings have them, each before its pieces. */
const identifiersOf = (text: string): WordMatch[] =>
  Array.from(identifiersIn(text), ({ text: found, start, end }) => ({
    ...{ word: plain(found), isIdentifier: true },
    ...{ start, end },
  }));

/** Without what lies within another before it. */
function outermost(matches: readonly WordMatch[]): WordMatch[] {
  const kept: WordMatch[] = [];
  for (const match of matches) if (match.start >= (kept.at(-1)?.end ?? 0)) kept.push(match);
  return kept;
}

interface Part extends Span {
  /** Of a script that writes no spaces. */
  readonly isUnspaced: boolean;
}

function* partsOf(text: string): Generator<Part> {
  for (const match of text.matchAll(word)) {
    const [found] = match;
    if (!unspaced.test(found)) {
      yield { start: match.index, end: match.index + found.length, isUnspaced: false };
      continue;
    }
    for (const run of found.matchAll(unspacedRuns)) {
      const start = match.index + run.index;
      yield { start, end: start + run[0].length, isUnspaced: unspaced.test(run[0]) };
    }
  }
}

/** What two forms of a word have in common whatever the stemmer does: saves comparing all with all. */
const beginningOf = (text: string) => text.slice(0, 2);

function matchesIn(
  text: string,
  words: ReadonlyMap<string, readonly Wanted[]>,
  runs: ReadonlySet<string>,
  identifiers: ReadonlySet<string>,
): WordMatch[] {
  const named = identifiers.size > 0 ? identifiersOf(text).filter(({ word: own }) => identifiers.has(own)) : [];
  const whole = outermost(named);
  const matches = [...whole];
  for (const { start, end, isUnspaced } of partsOf(text)) {
    if (isUnspaced) {
      if (runs.size > 0) matches.push(...commonStretches(text.slice(start, end), start, runs));
      continue;
    }
    const found = plain(text.slice(start, end));
    const match = words.get(beginningOf(found))?.find((one) => isSameWord(found, one));
    if (!match || (whole.length > 0 && match.isPart)) continue;
    matches.push({ word: match.word, isIdentifier: false, start, end });
  }
  return matches.sort((a, b) => a.start - b.start || b.end - a.end);
}

function isSameWord(found: string, { word: own, stem }: Wanted): boolean {
  if (found === own) return true;
  if (stemOf(found) === stem) return true;
  const shorter = Math.min(found.length, own.length);
  const least = Math.max(isAscii(own) ? leastShared : leastSharedElsewhere, shorter - endingCharacters);
  if (shorter < least) return false;
  return found.slice(0, least) === own.slice(0, least);
}

/** Characters that a stretch must have to be more than chance; one with ideographs says more. */
const leastStretch = 4;
const leastIdeographs = 2;
const ideograph = /[\p{Script=Han}\p{Script=Katakana}]/u;

/** The longest stretches of a run that the query has too. */
function commonStretches(run: string, offset: number, wanted: ReadonlySet<string>): WordMatch[] {
  const matches: WordMatch[] = [];
  for (let at = 0; at < run.length; ) {
    let length = 0;
    for (const own of wanted) {
      while (at + length < run.length && own.includes(plain(run.slice(at, at + length + 1)))) length += 1;
    }
    const stretch = run.slice(at, at + length);
    const isWhole = wanted.has(plain(stretch));
    if (isWhole || length >= (ideograph.test(stretch) ? leastIdeographs : leastStretch)) {
      matches.push({ word: plain(stretch), isIdentifier: false, start: offset + at, end: offset + at + length });
      at += length;
    } else at += 1;
  }
  return matches;
}
