import type { Span } from '../../contracts/model/ids.ts';

/**
 * Where a sentence may end: after its mark where blank space follows, after the marks of Chinese and Japanese, and
 * before an item of a list. All counts are bounded, so that a million dots are read once.
 */
const ends =
  /[.!?…]{1,8}["'”’»)\]*_]{0,4}(?=\s)|[。！？｡]{1,8}[」』”’）]{0,4}|\n(?=[ \t]{0,12}(?:[-*+•]|\d{1,3}[.)])[ \t])/gu;

/** Words whose dot ends no sentence, in lower case; single letters (initials) are none either. */
const abbreviations = new Set(
  'mr mrs ms dr prof st sr jr vs no fig figs eq sec ch vol pp cf ca approx inc ltd co dept est e.g i.e al'.split(' '),
);

/** The sentences of a paragraph, without the blank space between them. Together they hold all else. */
export function* sentencesOf(text: string, { start, end }: Span): Generator<Span, void> {
  const paragraph = text.slice(start, end);
  let from = 0;
  for (const match of paragraph.matchAll(ends)) {
    const to = match.index + match[0].length;
    if (match[0].startsWith('.') && !endsSentence(paragraph, match.index, to)) continue;
    yield* trimmed(text, start + from, start + to);
    from = to;
  }
  yield* trimmed(text, start + from, end);
}

function trimmed(text: string, from: number, to: number): Span[] {
  const spans: Span[] = [];
  pushTrimmed(text, spans, from, to);
  return spans;
}

function endsSentence(paragraph: string, dot: number, to: number): boolean {
  const word = /[\p{L}.]+$/u.exec(paragraph.slice(Math.max(0, dot - 8), dot))?.[0] ?? '';
  if (/^\p{L}$/u.test(word) || abbreviations.has(word.toLowerCase())) return false;
  const next = /\S/u.exec(paragraph.slice(to, to + 200))?.[0];
  return next === undefined || !/\p{Ll}/u.test(next);
}

/** Adds the span without blank space at its ends, unless nothing is left of it. */
export function pushTrimmed(text: string, spans: Span[], from: number, to: number): void {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  if (end > start) spans.push({ start, end });
}

/** JavaScript's `\s`, without a regular expression on the hot path. */
function isSpace(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13) || (unit > 127 && /\s/.test(String.fromCharCode(unit)));
}
