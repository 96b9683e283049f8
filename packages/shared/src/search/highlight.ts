import type { Span } from '../contracts/model/ids.ts';
import type { Highlight } from '../contracts/model/search.ts';
import type { QueryWords, WordMatch } from './query-words.ts';
import { splitSentences } from './sentences.ts';

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

const isHeading = (sentence: string) => /^#{1,6} /.test(sentence);

/**
 * The sentence whose matches say most (the shorter one of two), or undefined where none has any. A heading only where no
 * other has: it names what the sentences under it say.
 */
function bestSentence(text: string, sentences: readonly Span[], matches: readonly WordMatch[], words: QueryWords) {
  let best: { span: Span; score: number; heading: boolean } | undefined;
  for (const span of sentences) {
    const inside = matches.filter((match) => match.start >= span.start && match.end <= span.end);
    if (inside.length === 0) continue;
    const score = [...new Set(inside.map((match) => match.word))].reduce((sum, word) => sum + words.weightOf(word), 0);
    const heading = isHeading(text.slice(span.start, span.start + 8));
    const shorter = best !== undefined && span.end - span.start < best.span.end - best.span.start;
    const better =
      !best ||
      (best.heading && !heading) ||
      (best.heading === heading && (score > best.score || (score === best.score && shorter)));
    if (better) best = { span, score, heading };
  }
  return best?.span;
}

/**
 * What of a passage to mark for a query: the sentence that answers it best by its words, with the words in it, and each
 * word elsewhere. Where no word occurs, a passage of one sentence is marked as a whole, any other not at all.
 *
 * @param passage `start` is where its text begins in the document.
 * @returns spans into the document's text, sorted and apart; those with `terms` are sentences.
 */
export function highlight(words: QueryWords, passage: { text: string; start: number }): Highlight[] {
  const { text, start: offset } = passage;
  const matches = words.matchesIn(text);
  const sentences = splitSentences(text);
  const only = sentences.length === 1 ? sentences[0] : undefined;
  const sentence = bestSentence(text, sentences, matches, words) ?? (matches.length === 0 ? only : undefined);
  const isInside = (span: Span) => sentence && span.start < sentence.end && span.end > sentence.start;
  const terms = mergeSpans(matches);
  const place = ({ start, end }: Span): Span => ({ start: start + offset, end: end + offset });
  const elsewhere: Highlight[] = terms.filter((span) => !isInside(span)).map(place);
  if (!sentence) return elsewhere;
  const inside = terms.filter(isInside).map(place);
  // A word that reaches over the end of the sentence takes it along.
  const [whole] = mergeSpans([place(sentence), ...inside]) as [Span];
  return [...elsewhere, { ...whole, terms: inside }].sort((a, b) => a.start - b.start);
}
