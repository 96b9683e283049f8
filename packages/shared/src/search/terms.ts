import type { Span } from '../contracts/model/ids.ts';
import { plain } from './lexical/fold.ts';
import { functionWords } from './lexical/function-words.ts';
import { unspaced, word } from './lexical/scripts.ts';
import { prefixLength } from './lexical/terms.ts';

export interface Term extends Span {
  /** Equal keys are the same term. */
  readonly key: string;
}

/** The first five characters, as a reader takes them for the same: a stemmer for any alphabetic language (docs: retrieval). */
function keyOf(text: string): string {
  const own = plain(text);
  const characters = Array.from(own);
  if (characters.length > prefixLength) return characters.slice(0, prefixLength).join('');
  return characters.length > 3 && own.endsWith('s') ? own.slice(0, -1) : own;
}

/** The terms of a text with where they stand in it, stop words left out. */
export function termsOf(text: string): Term[] {
  const terms: Term[] = [];
  for (const match of text.matchAll(word)) {
    const [found] = match;
    const start = match.index;
    if (unspaced.test(found)) {
      const characters = Array.from(found);
      let at = start;
      for (let index = 0; index < characters.length; index += 1) {
        const pair = (characters[index] as string) + (characters[index + 1] ?? '');
        if (characters.length === 1 || index + 1 < characters.length) {
          terms.push({ key: pair.normalize('NFKC'), start: at, end: at + pair.length });
        }
        at += (characters[index] as string).length;
      }
    } else if (!functionWords.has(found.toLowerCase())) {
      terms.push({ key: keyOf(found), start, end: start + found.length });
    }
  }
  return terms;
}

export const termKeys = (text: string): Set<string> => new Set(termsOf(text).map((term) => term.key));
