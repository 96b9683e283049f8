import { stem } from 'porter2';
import type { LexicalEntry } from '../../ports/lexical-index.ts';

/** Scripts that write no spaces: their words are looked for as pairs of characters. */
export const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
export const unspacedRuns =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{M}ー]+|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+/gu;
/** A word in any script. */
export const word = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu;
/** Words joined by these, with a digit among them: `ERR_SSL_42`, `INV-2026-00417`, `10.0.3.7`. */
export const identifier = /[\p{L}\p{N}]+(?:[-_./:#@][\p{L}\p{N}]+)+/gu;
export const prefixLength = 5;
/** Longer words are no words; what they begin with tells them apart well enough. */
const maxTermLength = 64;
/** What a length is kept in. */
const maxLength = 65_535;

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

/** The English stem (Porter 2); a word of another language comes out more or less as it is. */
export const stemOf = (word: string): string => (/^[a-z']+$/.test(word) ? stem(word) : word);

/** The first five characters: a stemmer for any alphabetic language. */
export const prefixOf = (word: string): string =>
  isAscii(word) ? word.slice(0, prefixLength) : Array.from(word).slice(0, prefixLength).join('');

function identifiersOf(text: string): string[] {
  // Most texts have none, and putting a text into its compatibility form takes longer than looking.
  if (!/\p{N}/u.test(text)) return [];
  return [...plain(text).matchAll(identifier)]
    .map(([found]) => found.slice(0, maxTermLength))
    .filter((found) => /\p{N}/u.test(found));
}

/** A term's first letter says its space: stem, prefix, or a whole identifier. They never mix. */
export type TermSpace = 's' | 'p' | 'i';

/** Words whose terms are kept: a text's words are nearly all among those of the texts before it. */
const mostKnownWords = 20_000;
const knownWords = new Map<string, readonly [stem: string, prefix: string]>();

function termsOfWord(word: string): readonly [stem: string, prefix: string] {
  const known = knownWords.get(word);
  if (known) return known;
  const terms = [`s${stemOf(word)}`, `p${prefixOf(word)}`] as const;
  if (knownWords.size >= mostKnownWords) knownWords.clear();
  knownWords.set(word, terms);
  return terms;
}

/** Every term of a text, as often as it occurs, and how many words there are. */
export function termsOf(text: string): { terms: string[]; words: number } {
  const words = wordsOf(text);
  const terms: string[] = [];
  for (const found of words) {
    const [stem, prefix] = termsOfWord(found);
    terms.push(stem, prefix);
  }
  for (const found of identifiersOf(text)) terms.push(`i${found}`);
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
