import type { SearchHit } from '../contracts/model/search.ts';
import { isInModelsLanguage } from '../search/query-language.ts';
import { splitSentences } from '../search/sentences.ts';
import { termKeys } from '../search/terms.ts';
import { isDenied, namesIn, numbersIn } from './claims.ts';

/** The share of a sentence's terms that its cited passages must hold. */
const carriedShare = 0.5;
/** A number counts where its sentence has this share of the words that the nearest sentence has. */
const boundShare = 0.5;
/** A clause of a passage with this share of a clause's terms says the same or the opposite. */
const samenessShare = 0.6;

/** Headings and the lines that open a list state nothing. */
export const statesNothing = (text: string): boolean => /^#{1,6} |[:：]$/.test(text) || termKeys(text).size === 0;

/**
 * Whether passages carry a sentence, as far as words can tell, without a second model call:
 * - they hold at least half of its terms;
 * - each of its numbers stands in them, in a sentence that is about the same: that has at least half as many of its
 *   terms as the nearest one, so that a number of another matter does not pass;
 * - each of its names does, where it is English (elsewhere more than names begin with a capital);
 * - what they say in nearly the same words they do not deny where it affirms, nor affirm where it denies (English too).
 * What is reworded beyond recognition counts as not carried.
 *
 * @param text of a sentence that states something, without markers
 */
export function isCarried(text: string, passages: readonly SearchHit[]): boolean {
  const sentences = passages.flatMap(evidenceIn);
  const about = passages.map((hit) => `${hit.title}\n${hit.headings.join('\n')}`).join('\n');
  const whole = `${about}\n${passages.map((hit) => hit.text).join('\n')}`;
  const terms = [...termKeys(text)];
  const known = termKeys(whole);
  if (terms.filter((term) => known.has(term)).length < carriedShare * terms.length) return false;
  if (!areNumbersCarried(text, sentences, about)) return false;
  if (!isInModelsLanguage(text)) return true;
  return areNamesCarried(text, whole) && isAgreed(text, sentences);
}

interface Evidence {
  readonly text: string;
  readonly terms: ReadonlySet<string>;
  readonly numbers: ReadonlySet<string>;
}

const evidenceIn = (hit: SearchHit): Evidence[] =>
  splitSentences(hit.text).map(({ start, end }) => {
    const text = hit.text.slice(start, end);
    return { text, terms: termKeys(text), numbers: new Set(numbersIn(text)) };
  });

function areNumbersCarried(text: string, sentences: readonly Evidence[], about: string): boolean {
  const words = [...termKeys(text)].filter((term) => !/\p{N}/u.test(term));
  const titled = new Set(numbersIn(about));
  const shares = sentences.map((sentence) => words.filter((word) => sentence.terms.has(word)).length);
  const least = boundShare * Math.max(0, ...shares);
  return numbersIn(text).every(
    (number) =>
      titled.has(number) ||
      sentences.some(
        (sentence, at) =>
          sentence.numbers.has(number) &&
          // A cell of a table or a line of a list has nothing but its number.
          ((shares[at] as number) >= least || sentence.terms.size <= 2),
      ),
  );
}

function areNamesCarried(text: string, whole: string): boolean {
  const known = termKeys(whole);
  const initials = initialsIn(whole);
  const plain = whole.toLowerCase();
  return namesIn(text).every((name) => {
    if (/\p{N}/u.test(name)) return plain.includes(name.toLowerCase());
    return initials.has(name.replace(/\./g, '')) || [...termKeys(name)].every((term) => known.has(term));
  });
}

/** "World Health Organization" carries "WHO". */
function initialsIn(text: string): Set<string> {
  const runs = text.matchAll(/\p{Lu}[\p{L}\p{M}]+(?:[ -](?:(?:of|and|the|for) )?\p{Lu}[\p{L}\p{M}]+)+/gu);
  const initials = new Set<string>();
  for (const [run] of runs) {
    const letters = Array.from(run.matchAll(/(?<![\p{L}\p{M}])\p{Lu}/gu), ([letter]) => letter).join('');
    for (let from = 0; from < letters.length; from += 1)
      for (let to = from + 2; to <= letters.length; to += 1) initials.add(letters.slice(from, to));
  }
  return initials;
}

/** A clause that passages say nearly in the same words must be affirmed or denied by one of them as it is here. */
function isAgreed(text: string, sentences: readonly Evidence[]): boolean {
  const said = sentences.flatMap((sentence) => clausesOf(sentence.text));
  return clausesOf(text).every(({ terms, denied }) => {
    const same = said.filter(
      (other) => [...terms].filter((term) => other.terms.has(term)).length >= samenessShare * terms.size,
    );
    return same.length === 0 || same.some((other) => other.denied === denied);
  });
}

interface Clause {
  readonly terms: ReadonlySet<string>;
  readonly denied: boolean;
}

/** Those that have two terms at least. */
const clausesOf = (sentence: string): Clause[] =>
  sentence
    .split(/[,;:](?!\d)|\b(?:but|although|though|while|whereas)\b/i)
    .map((clause) => ({ terms: termKeys(clause), denied: isDenied(clause) }))
    .filter(({ terms }) => terms.size >= 2);
