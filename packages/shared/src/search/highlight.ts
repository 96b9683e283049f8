import type { Span } from '../contracts/model/ids.ts';
import { splitSentences } from './sentences.ts';
import { type Term, termsOf } from './terms.ts';

/** Sorted, apart, none empty: spans that overlap or touch become one. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const sorted = spans.filter((span) => span.end > span.start).sort((a, b) => a.start - b.start || a.end - b.end);
  const merged: Span[] = [];
  for (const span of sorted) {
    const last = merged.at(-1);
    if (last && span.start <= last.end) last.end = Math.max(last.end, span.end);
    else merged.push({ start: span.start, end: span.end });
  }
  return merged;
}

/** The sentence that holds the most different terms (the shorter one of two), or undefined where none holds any. */
function bestSentence(text: string, matches: readonly Term[]): Span | undefined {
  let best: Span | undefined;
  let bestCount = 0;
  for (const sentence of splitSentences(text)) {
    const inside = matches.filter((match) => match.start >= sentence.start && match.end <= sentence.end);
    const count = new Set(inside.map((match) => match.key)).size;
    const shorter = best !== undefined && sentence.end - sentence.start < best.end - best.start;
    if (count > bestCount || (count > 0 && count === bestCount && shorter)) {
      best = sentence;
      bestCount = count;
    }
  }
  return best;
}

/**
 * What of a chunk to mark for a query: each word of the query, and the sentence that holds most of them. Nothing is
 * marked where no word of the query occurs.
 *
 * @param queryTerms from `termKeys(query)`.
 * @param chunk `start` is where its text begins in the document.
 * @returns spans into the document's text, sorted and apart.
 */
export function highlight(queryTerms: ReadonlySet<string>, chunk: { text: string; start: number }): Span[] {
  const matches = termsOf(chunk.text).filter((term) => queryTerms.has(term.key));
  const sentence = bestSentence(chunk.text, matches);
  const spans = sentence ? [...matches, sentence] : matches;
  return mergeSpans(spans).map((span) => ({ start: span.start + chunk.start, end: span.end + chunk.start }));
}
