import type { Span } from '../contracts/model/ids.ts';

/** No sentence is longer, so that a quote stays a quote; text without an end (tables, logs) is cut at white space. */
const maxSentenceLength = 1000;

const abbreviations = new Set(
  'mr mrs ms dr prof st vs etc eg ie e.g i.e cf fig figs eq no nos vol pp ed eds al inc ltd co jr sr approx dept est'.split(
    ' ',
  ),
);
const terminators = '.!?…';
const wideTerminators = '。！？｡';
const closers = '"\'”’»)]』」）*_';

/** Marks of notes, as `.[1]` and `.[2][3]` in encyclopedias: they belong to the sentence before them. */
const notes = /(?:\[(?:\d{1,4}(?:[,;–-] ?\d{1,4}){0,9}|\p{Ll})\])+/uy;

const isSpace = (character: string) => character.trim() === '';

/** Whether the line that begins at `start` is one of its own in Markdown: a heading, list item, table row or quote. */
function beginsBlock(text: string, start: number): boolean {
  return /^[ \t]{0,8}(?:#{1,6} |[-*+•] |\d{1,4}[.)] |\||>|```|~~~)/.test(text.slice(start, start + 16));
}

function wordBefore(text: string, end: number): string {
  let start = end;
  while (start > 0 && end - start < 12 && !isSpace(text[start - 1] as string)) start -= 1;
  return text
    .slice(start, end)
    .replace(/^[("'“‘[]+/, '')
    .toLowerCase();
}

/** Whether the dot at `dot` belongs to an abbreviation, an initial or a list number rather than to the sentence's end. */
function isInnerDot(text: string, dot: number, next: number): boolean {
  const word = wordBefore(text, dot);
  if (abbreviations.has(word)) return true;
  if (/^\p{L}$/u.test(word) || /^\d{1,3}$/.test(word))
    return wordStartsLine(text, dot - word.length) || /^\p{L}$/u.test(word);
  return /^\p{Ll}/u.test(text.slice(next, next + 2));
}

function wordStartsLine(text: string, start: number): boolean {
  let at = start;
  while (at > 0 && (text[at - 1] === ' ' || text[at - 1] === '\t')) at -= 1;
  return at === 0 || text[at - 1] === '\n';
}

/** Where the sentence that has a terminator at `at` ends, or undefined where it goes on. */
function endAfter(text: string, at: number): number | undefined {
  let end = at + 1;
  while (end < text.length && (terminators + wideTerminators + closers).includes(text[end] as string)) end += 1;
  notes.lastIndex = end;
  if (notes.test(text)) end = notes.lastIndex;
  if (wideTerminators.includes(text[at] as string)) return end;
  if (end < text.length && !isSpace(text[end] as string)) return undefined;
  let next = end;
  while (next < text.length && isSpace(text[next] as string)) next += 1;
  return text[at] === '.' && isInnerDot(text, at, next) ? undefined : end;
}

/** Whether a line break at `at` ends the sentence: before and after a block, and at an empty line. Others are soft. */
function breaksAt(text: string, at: number, lineStart: number): boolean {
  let next = at + 1;
  while (next < text.length && (text[next] === ' ' || text[next] === '\t' || text[next] === '\r')) next += 1;
  if (next >= text.length || text[next] === '\n') return true;
  return beginsBlock(text, at + 1) || /^[ \t]{0,8}(?:#{1,6} |\|)/.test(text.slice(lineStart, lineStart + 16));
}

function trailingSpaces(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && isSpace(text[at - 1] as string)) at -= 1;
  return end - at;
}

function pushTrimmed(spans: Span[], text: string, from: number, to: number): void {
  let start = from;
  let end = to;
  while (start < end && isSpace(text[start] as string)) start += 1;
  end -= trailingSpaces(text, start, end);
  while (end - start > maxSentenceLength) {
    let cut = start + maxSentenceLength;
    while (cut > start + maxSentenceLength / 2 && !isSpace(text[cut] as string)) cut -= 1;
    // No white space in reach: cut anywhere but inside a surrogate pair.
    if (!isSpace(text[cut] as string)) cut = start + maxSentenceLength;
    if (/[\uDC00-\uDFFF]/.test(text[cut] as string)) cut -= 1;
    spans.push({ start, end: cut - trailingSpaces(text, start, cut) });
    start = cut;
    while (start < end && isSpace(text[start] as string)) start += 1;
  }
  if (end > start) spans.push({ start, end });
}

/**
 * The sentences of a text as spans into it: in order, apart, none empty, without white space around them. Rules rather
 * than Intl.Segmenter, which splits at soft line breaks of PDFs and at "Dr." and knows no Markdown. One pass.
 */
export function splitSentences(text: string): Span[] {
  const spans: Span[] = [];
  let start = 0;
  let lineStart = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    let end: number | undefined;
    if (character === '\n') {
      if (breaksAt(text, at, lineStart)) end = at;
      lineStart = at + 1;
    } else if (terminators.includes(character) || wideTerminators.includes(character)) {
      end = endAfter(text, at);
    }
    if (end === undefined) continue;
    pushTrimmed(spans, text, start, end);
    start = end;
    at = Math.max(at, end - 1);
  }
  pushTrimmed(spans, text, start, text.length);
  return spans;
}
