import { stem } from 'porter2';
import type { LexicalEntry } from '../../ports/lexical-index.ts';
import { isArabic, withoutClitics } from './arabic.ts';
import { plain, unmarked } from './fold.ts';
import { isDevanagari, withoutEnding } from './hindi.ts';
import { identifierTerms, mayHaveIdentifiers } from './identifiers.ts';
import { endsInKorean, isKorean, withoutParticle } from './korean.ts';
import { remember } from './remember.ts';
import { isAscii, isOfAlphabet, unspaced, unspacedCharacter, unspacedRuns, word } from './scripts.ts';

/** Of an alphabet without spaces. */
const fourLength = 4;
export const prefixLength = 5;
/** A syllable block of Korean is two or three letters. */
const koreanPrefixLength = 2;
/**
 * Moves on whenever the same text gets other terms, or they are kept elsewhere: what was written by other rules is written
 * anew by the reconciler.
 * @see LexicalIndex.differs
 */
export const termRules = 4;
/** Longer words are no words; what they begin with tells them apart well enough. */
const maxTermLength = 64;
/** What a length is kept in. */
const maxLength = 65_535;

const asciiWord = /[a-z0-9]+/g;

/** The words of a text in order: lower case, and pairs of characters where a script writes no spaces. */
export function wordsOf(text: string): string[] {
  if (isAscii(text)) return (text.toLowerCase().match(asciiWord) ?? []).map((found) => found.slice(0, maxTermLength));
  const words: string[] = [];
  for (const [found] of plain(text).matchAll(word)) {
    if (!unspaced.test(found)) words.push(found.slice(0, maxTermLength));
    else for (const [run] of found.matchAll(unspacedRuns)) words.push(...(unspaced.test(run) ? pairsOf(run) : [run]));
  }
  return words;
}

function pairsOf(run: string): string[] {
  const characters = Array.from(run);
  return characters.length === 1 ? characters : stretchesOf(characters, 2);
}

const stretchesOf = (characters: readonly string[], length: number): string[] =>
  Array.from({ length: Math.max(0, characters.length - length + 1) }, (_, at) =>
    characters.slice(at, at + length).join(''),
  );

/**
 * The fours of characters of the runs that are in an alphabet without spaces.
 * @param text as `plain` gives it
 */
function foursOf(text: string): string[] {
  const fours: string[] = [];
  for (const [found] of text.matchAll(word))
    for (const [run] of found.matchAll(unspacedRuns))
      if (isOfAlphabet(run)) fours.push(...stretchesOf(Array.from(run), fourLength));
  return fours;
}

/**
 * The English stem (Porter 2), a Korean word without its particle, an Arabic one without its clitics, one of Hindi without
 * its ending; any other comes out more or less as it is.
 */
export function stemOf(word: string): string {
  if (/^[a-z']+$/.test(word)) return stem(word);
  if (isAscii(word)) return word;
  if (isArabic(word)) return withoutClitics(word);
  if (isDevanagari(word)) return withoutEnding(word);
  if (!endsInKorean(word)) return word;
  const own = withoutParticle(word);
  return endsInKorean(own) ? own : stemOf(own);
}

/**
 * The first five characters (two of Korean), without the marks of Latin letters and the clitics of Arabic: a stemmer for any
 * alphabetic language.
 */
export function prefixOf(word: string): string {
  if (isAscii(word)) return word.slice(0, prefixLength);
  const length = isKorean(word) ? koreanPrefixLength : prefixLength;
  const own = isArabic(word) ? withoutClitics(word) : unmarked(word);
  return Array.from(own).slice(0, length).join('');
}

/**
 * A term's first letter says its space: stem, prefix, or identifier; of scripts that write no spaces a pair of
 * characters (or one between others), four of an alphabet, or any character. They never mix.
 */
export type TermSpace = 's' | 'p' | 'i' | 'u' | 'q' | 'c';

/** The term that a text has wherever it has this word, by itself or, of a script without spaces, among others. */
export function surestTerm(word: string): string {
  if (!unspaced.test(word)) return `s${stemOf(word)}`;
  return isCharacter(word) ? `c${word}` : `u${word}`;
}

/** Whether a word of a script that writes no spaces is a single character. */
export const isCharacter = (word: string): boolean => unspaced.test(word) && Array.from(word).length === 1;

/** Words whose terms are kept: a text's words are nearly all among those of the texts before it. */
const mostKnownWords = 20_000;

const termsOfWord = remember(
  (word): readonly string[] => (unspaced.test(word) ? [`u${word}`] : [`s${stemOf(word)}`, `p${prefixOf(word)}`]),
  mostKnownWords,
);

/** As `stemOf`, which takes longer than looking for what it gave before. */
export const knownStemOf = remember(stemOf, mostKnownWords);

/** Every term of a text, as often as it occurs, and how many words there are. */
export function termsOf(text: string): { terms: string[]; words: number } {
  const words = wordsOf(text);
  const terms: string[] = [];
  for (const found of words) terms.push(...termsOfWord(found));
  if (unspaced.test(text)) {
    const own = plain(text);
    for (const four of foursOf(own)) terms.push(`q${four}`);
    for (const [found] of own.matchAll(unspacedCharacter)) terms.push(`c${found}`);
  }
  // Most texts have none, and putting a text into its compatibility form takes longer than looking.
  if (mayHaveIdentifiers(text)) for (const found of identifierTerms(plain(text))) terms.push(`i${found}`);
  return { terms, words: words.length };
}

/** What a chunk is found by: its text, and its document's title, which counts twice. */
export function lexicalEntry(title: string, text: string): LexicalEntry {
  const counts = new Map<string, number>();
  let length = 0;
  for (const [part, times] of [
    [title, 2],
    [text, 1],
  ] as const) {
    const { terms, words } = termsOf(part);
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + times);
    length += words * times;
  }
  return { terms: counts, length: Math.max(1, Math.min(maxLength, length)) };
}
