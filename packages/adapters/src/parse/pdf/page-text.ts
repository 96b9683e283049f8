import type { TextLine } from './page-lines.ts';

const bullet = /^[●•▪■◦‣∙·○–—*-]\s+/;
const numbered = /^(?:\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S/;
const cjk = /[\u3000-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]/;
/** A line this much further away than lines usually are begins a paragraph. */
const paragraphGap = 1.3;
const headingRatio = 1.18;

/** Counts characters by font size, so that the size of running text is known. One for the document. */
export class FontSizes {
  readonly #chars = new Map<number, number>();

  add(lines: readonly TextLine[]): void {
    for (const { fontSize, text } of lines) {
      const key = halfPoint(fontSize);
      this.#chars.set(key, (this.#chars.get(key) ?? 0) + text.length);
    }
  }

  /** The size of most of the text so far, in points. */
  body(): number {
    let best = 0;
    let most = 0;
    for (const [size, chars] of this.#chars) if (chars > most) [best, most] = [size, chars];
    return best;
  }
}

/** Lines as Markdown: paragraphs joined from their lines, headings by size, list items on lines of their own. */
export function toMarkdown(lines: readonly TextLine[], bodySize: number): string {
  const gaps = usualGaps(lines);
  const words = wordsOf(lines);
  // In parts, since looking at the end of a string under construction copies all of it.
  const parts: string[] = [];
  let blockEnd = 0;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const before = lines[at - 1];
    const level = headingLevel(line, bodySize);
    const own = line.text.replace(bullet, '- ');
    const joint = before
      ? jointOf(before, line, {
          usualGap: gaps(line.fontSize),
          blockEnd,
          level,
          levelBefore: headingLevel(before, bodySize),
        })
      : 'start';
    const begins = joint === 'start' || joint === 'paragraph';
    blockEnd = begins ? line.end : Math.max(blockEnd, line.end);
    if (joint === 'paragraph') parts.push('\n\n');
    if (begins) parts.push(prefix(level), own);
    else if (joint === 'line') parts.push('\n', own);
    else parts.push(...joined(parts.pop()!, own, words));
  }
  return parts.join('');
}

function prefix(level: number): string {
  return level > 0 ? `${'#'.repeat(level)} ` : '';
}

function headingLevel({ fontSize, text }: TextLine, bodySize: number): number {
  if (bodySize === 0 || text.length > 200 || !/\p{L}/u.test(text)) return 0;
  const ratio = fontSize / bodySize;
  if (ratio < headingRatio) return 0;
  if (ratio >= 1.8) return 1;
  return ratio >= 1.4 ? 2 : 3;
}

interface Surroundings {
  readonly usualGap: number;
  /** How far lines of this paragraph reach. */
  readonly blockEnd: number;
  readonly level: number;
  readonly levelBefore: number;
}

function jointOf(before: TextLine, line: TextLine, around: Surroundings): 'paragraph' | 'line' | 'word' {
  if (before.angle !== line.angle || around.level !== around.levelBefore) return 'paragraph';
  const gap = line.across - before.across;
  const size = Math.max(line.fontSize, before.fontSize);
  const jumps = gap <= 0 || gap > size * 6;
  if (jumps) {
    // The next column, or the next thing on the page: a sentence under way goes on.
    return around.level === 0 && /[\p{Ll},-]$/u.test(before.text) && /^\p{Ll}/u.test(line.text) ? 'word' : 'paragraph';
  }
  if (gap > Math.max(around.usualGap * paragraphGap, size * 1.05))
    return around.level > 0 && gap < size * 1.6 ? 'word' : 'paragraph';
  if (around.level > 0) return 'word';
  if (bullet.test(line.text) || numbered.test(line.text)) return 'line';
  if (before.hasCells || line.hasCells) return 'line';
  return endedEarly(before, line, around.blockEnd) ? 'line' : 'word';
}

/**
 * The line before ended by intention: the next line's first word would have fitted in with room to spare, or just so
 * after the end of a sentence.
 */
function endedEarly(before: TextLine, line: TextLine, blockEnd: number): boolean {
  const firstWord = cjk.test(line.text[0]!) ? 1 : line.text.split(' ', 1)[0]!.length;
  const charWidth = (line.end - line.start) / Math.max(1, line.text.length);
  const edge = Math.max(blockEnd, line.end);
  const spare = edge - before.end - (firstWord + 1) * charWidth;
  const isSentenceEnd = /[.:;!?]["')\]]?$/.test(before.text);
  return spare > (isSentenceEnd ? line.fontSize : 0.3 * (edge - before.start));
}

/** Two lines of a paragraph as parts of the text: a space between them, or a broken word made whole. */
function joined(last: string, next: string, words: ReadonlySet<string>): string[] {
  const hyphen = /(\p{L}+)[-\u2010\u00ad]$/u.exec(last.slice(-60));
  if (hyphen && /^\p{Ll}/u.test(next)) {
    const left = hyphen[1]!.toLowerCase();
    const right = /^\p{L}+/u.exec(next)![0].toLowerCase();
    const isCompound = !words.has(left + right) && words.has(left) && words.has(right);
    return [isCompound ? last : last.slice(0, -1), next];
  }
  const needsNoSpace = cjk.test(last.at(-1)!) && cjk.test(next[0]!);
  return needsNoSpace || /[-\u2010/]$/.test(last) ? [last, next] : [last, ' ', next];
}

/** The page's own vocabulary, to tell a hyphen of the language from one of the typesetter. */
function wordsOf(lines: readonly TextLine[]): ReadonlySet<string> {
  const words = new Set<string>();
  for (const [at, { text }] of lines.entries()) {
    // The parts of a broken word are no words.
    const whole = /[-\u2010\u00ad]$/.test(lines[at - 1]?.text ?? '') ? text.replace(/^\S+/, '') : text;
    for (const word of whole.replace(/\S+[-\u2010]$/, '').match(/\p{L}{3,}/gu) ?? []) words.add(word.toLowerCase());
  }
  return words;
}

/**
 * The most frequent distance between neighbouring lines, in points, by their font size: a table in small print is set
 * closer than the text around it.
 */
function usualGaps(lines: readonly TextLine[]): (fontSize: number) => number {
  const bySize = new Map<number, Map<number, number>>();
  const all = new Map<number, number>();
  for (let at = 1; at < lines.length; at++) {
    const gap = lines[at]!.across - lines[at - 1]!.across;
    const size = lines[at]!.fontSize;
    if (gap < size * 0.8 || gap > size * 3) continue;
    const counts = bySize.get(halfPoint(size)) ?? new Map<number, number>();
    bySize.set(halfPoint(size), counts);
    for (const each of [counts, all]) each.set(halfPoint(gap), (each.get(halfPoint(gap)) ?? 0) + 1);
  }
  const overall = mostFrequent(all);
  const known = new Map([...bySize].map(([size, counts]) => [size, mostFrequent(counts)]));
  return (fontSize) => known.get(halfPoint(fontSize)) ?? overall;
}

function halfPoint(value: number): number {
  return Math.round(value * 2) / 2;
}

/** The smallest of the most frequent keys; 0 where there are none. */
function mostFrequent(counts: ReadonlyMap<number, number>): number {
  let best = 0;
  let most = 0;
  for (const [key, count] of counts) if (count > most || (count === most && key < best)) [best, most] = [key, count];
  return best;
}
