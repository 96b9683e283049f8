import { plain } from './fold.ts';
import { endsInKorean } from './korean.ts';
import { unspaced, unspacedRuns, unspacedScripts, word } from './scripts.ts';
import { stemOf, surestTerm, wordsOf } from './terms.ts';

/** What a query puts in quotes. */
export interface Phrases {
  /** Terms that every chunk with the phrases has. */
  readonly required: readonly string[];
  /** Whether a text has each phrase: its words next to each other, in that order, whatever signs stand between them. */
  areIn(text: string): boolean;
}

/** Of phrases that are longer than this, in words together, the first are looked for; the text decides anyway. */
const maxRequired = 32;

/** A letter or digit of a script that writes spaces: before an opening quote, or behind a closing one, it is none. */
const attached = `[[\\p{L}\\p{N}]--[${unspacedScripts}]]`;
/**
 * Straight quotes that stand where quotes do (not those of `5" pipe`), and the pairs that no language uses the other way
 * round.
 */
const quoted = new RegExp(
  [`(?<!${attached})"(?=\\S)([^"]+)(?<=\\S)"(?!${attached})`, '„([^„“”]+)[“”]', '“([^“”]+)”', '«([^«»]+)»'].join('|'),
  'gv',
);

/** The phrases of a query, or undefined where it has none. */
export function phrasesOf(query: string): Phrases | undefined {
  const phrases = [...query.matchAll(quoted)]
    .map((groups) => groups.slice(1).find((group) => group !== undefined) as string)
    .filter((phrase) => spelled(phrase) !== ' ');
  if (phrases.length === 0) return undefined;
  const wanted = phrases.map(spelled);
  const required = new Set(phrases.flatMap(wordsOf).map(surestTerm));
  return {
    required: [...required].slice(0, maxRequired),
    areIn(text) {
      const all = spelled(text);
      return wanted.every((phrase) => all.includes(phrase));
    },
  };
}

/** A query without its quotes: what was in them may be missing. */
export const unquoted = (query: string): string => query.replace(/["„“”«»]/g, ' ');

/**
 * The words of a text, each between spaces, in Korean without their particles; where a script writes no spaces, its
 * characters are words.
 */
function spelled(text: string): string {
  const words: string[] = [];
  for (const [found] of plain(text).matchAll(word)) {
    if (!unspaced.test(found)) words.push(endsInKorean(found) ? stemOf(found) : found);
    else
      for (const [run] of found.matchAll(unspacedRuns)) words.push(...(unspaced.test(run) ? Array.from(run) : [run]));
  }
  return words.length > 0 ? ` ${words.join(' ')} ` : ' ';
}
