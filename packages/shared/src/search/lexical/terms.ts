import { stem } from 'porter2';
import type { LexicalEntry } from '../../ports/lexical-index.ts';
import { identifierTerms, mayHaveIdentifiers } from './identifiers.ts';
import { endsInKorean, isKorean, withoutParticle } from './korean.ts';

/** Scripts that write no spaces: their words are looked for as pairs of characters. */
export const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
export const unspacedRuns =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{M}ー]+|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+/gu;
/** A word in any script. */
export const word = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu;
export const prefixLength = 5;
/** A syllable block of Korean is two or three letters. */
const koreanPrefixLength = 2;
/**
 * Moves on whenever the same text gets other terms: what was written by other rules is written anew by the reconciler.
 * @see LexicalIndex.differs
 */
export const termRules = 2;
/** Longer words are no words; what they begin with tells them apart well enough. */
const maxTermLength = 64;
/** What a length is kept in. */
const maxLength = 65_535;

/** One character of a script that writes no spaces; its marks do not count. */
const unspacedCharacter = /(?!\p{M})[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu;

/** Lower case in the compatibility form: equal for what a reader takes for the same. */
const plain = (text: string): string => text.normalize('NFKC').toLowerCase();

/** Most texts: five times as fast without looking for what cannot be in them. */
const isAscii = (text: string): boolean => !/[^\p{ASCII}]/u.test(text);
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
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

/** The English stem (Porter 2), or a Korean word without its particle; any other comes out more or less as it is. */
export function stemOf(word: string): string {
  if (/^[a-z']+$/.test(word)) return stem(word);
  if (!endsInKorean(word)) return word;
  const own = withoutParticle(word);
  return endsInKorean(own) ? own : stemOf(own);
}

/** The first five characters, two of Korean: a stemmer for any alphabetic language. */
export function prefixOf(word: string): string {
  if (isAscii(word)) return word.slice(0, prefixLength);
  const length = isKorean(word) ? koreanPrefixLength : prefixLength;
  return Array.from(word).slice(0, length).join('');
}

/**
 * A term's first letter says its space: stem, prefix, or identifier; of scripts that write no spaces a pair of
 * characters (or one between others), or any character. They never mix.
 */
export type TermSpace = 's' | 'p' | 'i' | 'u' | 'c';

/** The term that a text has wherever it has this word, by itself or, of a script without spaces, among others. */
export function surestTerm(word: string): string {
  if (!unspaced.test(word)) return `s${stemOf(word)}`;
  return isCharacter(word) ? `c${word}` : `u${word}`;
}

/** Whether a word of a script that writes no spaces is a single character. */
export const isCharacter = (word: string): boolean => unspaced.test(word) && Array.from(word).length === 1;

/** Words whose terms are kept: a text's words are nearly all among those of the texts before it. */
const mostKnownWords = 20_000;
const knownWords = new Map<string, readonly string[]>();

function termsOfWord(word: string): readonly string[] {
  const known = knownWords.get(word);
  if (known) return known;
  const terms = unspaced.test(word) ? [`u${word}`] : [`s${stemOf(word)}`, `p${prefixOf(word)}`];
  if (knownWords.size >= mostKnownWords) knownWords.clear();
  knownWords.set(word, terms);
  return terms;
}

/** Every term of a text, as often as it occurs, and how many words there are. */
export function termsOf(text: string): { terms: string[]; words: number } {
  const words = wordsOf(text);
  const terms: string[] = [];
  for (const found of words) terms.push(...termsOfWord(found));
  if (unspaced.test(text)) for (const [found] of plain(text).matchAll(unspacedCharacter)) terms.push(`c${found}`);
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
