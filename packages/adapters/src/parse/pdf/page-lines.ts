import { superscript } from '../text/superscript.ts';

/** What pdf.js says of a run of glyphs. Sizes in points. */
export interface TextItem {
  readonly str: string;
  readonly dir: string;
  readonly width: number;
  readonly height: number;
  /** A matrix of six numbers. */
  readonly transform: readonly number[];
  readonly hasEOL: boolean;
}

/** A line of text in the order in which it is read. Distances in points, along and across the direction of writing. */
export interface TextLine {
  text: string;
  readonly fontSize: number;
  readonly start: number;
  readonly end: number;
  /** Grows from line to line. */
  readonly across: number;
  readonly angle: number;
  /** Wide gaps inside: a row of cells. */
  readonly hasCells: boolean;
}

interface PlacedItem {
  readonly str: string;
  readonly isRtl: boolean;
  readonly fontSize: number;
  readonly start: number;
  readonly end: number;
  readonly across: number;
  readonly angle: number;
}

/** Twins of fake bold stand 0.3 to 0.6 pt apart, shadows a little of their size; a letter is wider than that. */
const twinPt = 0.7;
const twinEm = 0.12;
/** Raised by more and smaller than this, digits are an exponent or lead to a note. */
const raisedEm = 0.2;
const raisedSize = 0.85;
const cellGapEm = 1.5;
// Arabic, Hebrew and Latin ligatures and presentation forms, and radicals that look like characters. Not all of NFKC,
// which would also turn x² into x2.
const presentationForms = /[\u2e80-\u2fdf\ufb00-\ufdff\ufe70-\ufefc]+/g;

/**
 * Groups runs into lines. The content's own order is kept, since it is the reading order in nearly all columns, rotated
 * and vertical pages; only lines written from right to left are put in order, which PDF keeps by position.
 */
export function toLines(items: readonly TextItem[]): TextLine[] {
  const lines: TextLine[] = [];
  let line: PlacedItem[] = [];
  const flush = () => {
    const made = makeLine(line);
    if (made) lines.push(made);
    line = [];
  };
  let ended = false;
  let base: PlacedItem | undefined;
  for (const item of items) {
    if (item.str !== '') {
      let placed = place(item);
      const before = line.at(-1);
      if (before && (!continues(base!, placed) || (ended && !adjoins(before, placed)))) flush();
      if (line.length > 0 && isRaised(base!, placed)) placed = { ...placed, str: superscript(placed.str) };
      const kept = withoutTwin(line, placed);
      // Raised and lowered characters are held against the largest of the line, not against each other.
      if (line.length === 0 || placed.fontSize > base!.fontSize) base = placed;
      if (kept) line.push(ended && line.length > 0 ? afterGap(line.at(-1)!, kept) : kept);
      ended = false;
    }
    ended ||= item.hasEOL;
  }
  flush();
  return lines;
}

/** Whether an item goes on where the line stands: pdf.js says that a line ends after each raised or lowered character. */
function adjoins(before: PlacedItem, item: PlacedItem): boolean {
  const gap = item.start - before.end;
  return gap > -1.2 * item.fontSize && gap < item.fontSize;
}

function afterGap(before: PlacedItem, item: PlacedItem): PlacedItem {
  return item.start - before.end > 0.15 * item.fontSize ? { ...item, str: ` ${item.str}` } : item;
}

function place(item: TextItem): PlacedItem {
  const [a, b, c, d, x, y] = item.transform as [number, number, number, number, number, number];
  if (item.dir === 'ttb') {
    // Vertical writing: down the column, columns from right to left.
    return { ...shared(item, Math.hypot(a, b)), start: -y, end: -y + item.height, across: -x, angle: -90 };
  }
  const scale = Math.hypot(a, b) || 1;
  const [ux, uy] = [a / scale, b / scale];
  const start = x * ux + y * uy;
  const fontSize = Math.hypot(c, d) || scale;
  const across = x * uy - y * ux;
  return {
    ...shared(item, fontSize),
    start,
    end: start + item.width,
    across,
    angle: Math.round((Math.atan2(b, a) * 180) / Math.PI),
  };
}

function shared(item: TextItem, fontSize: number) {
  return { str: item.str, isRtl: item.dir === 'rtl', fontSize };
}

function continues(before: PlacedItem, item: PlacedItem): boolean {
  return (
    before.angle === item.angle &&
    Math.abs(before.across - item.across) < Math.max(before.fontSize, item.fontSize) * 0.6
  );
}

function isRaised(base: PlacedItem, item: PlacedItem): boolean {
  return item.fontSize < raisedSize * base.fontSize && base.across - item.across > raisedEm * base.fontSize;
}

/** The item without glyphs that were drawn a second time over those before it, to look bold. */
function withoutTwin(line: readonly PlacedItem[], item: PlacedItem): PlacedItem | undefined {
  const near = line.slice(-4).some((other) => other.str === item.str && item.str.trim() !== '' && isAt(other, item));
  if (near) return undefined;
  const before = line.at(-1);
  if (!before || item.isRtl) return item;
  // `BO` drawn over `B`: the first glyph is the last one again, the others follow it.
  const overlap = before.end - item.start;
  const again =
    before.str.at(-1) === item.str[0] &&
    item.str[0] !== ' ' &&
    overlap > 0.15 * item.fontSize &&
    overlap < 1.2 * item.fontSize;
  return again ? { ...item, str: item.str.slice(1), start: before.end } : item;
}

function isAt(one: PlacedItem, other: PlacedItem): boolean {
  const most = Math.max(twinPt, twinEm * one.fontSize);
  return Math.abs(one.start - other.start) < most && Math.abs(one.across - other.across) < most;
}

function makeLine(items: readonly PlacedItem[]): TextLine | undefined {
  const text = textOf(items)
    .replace(presentationForms, (forms) => forms.normalize('NFKC'))
    .replace(/[ \t]+/g, ' ')
    .trim();
  if (text === '') return undefined;
  const visible = items.filter(({ str }) => str.trim() !== '');
  const longest = visible.reduce((best, item) => (item.str.length > best.str.length ? item : best));
  return {
    text,
    fontSize: longest.fontSize,
    start: visible.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY),
    end: visible.reduce((most, { end }) => Math.max(most, end), Number.NEGATIVE_INFINITY),
    across: longest.across,
    angle: longest.angle,
    hasCells: hasWideGap(visible),
  };
}

function hasWideGap(visible: readonly PlacedItem[]): boolean {
  for (let at = 1; at < visible.length; at++) {
    if (visible[at]!.start - visible[at - 1]!.end > cellGapEm * visible[at]!.fontSize) return true;
  }
  return false;
}

function textOf(items: readonly PlacedItem[]): string {
  const rtlChars = items.reduce((sum, { isRtl, str }) => sum + (isRtl ? str.length : 0), 0);
  const ltrChars = items.reduce((sum, { isRtl, str }) => sum + (isRtl ? 0 : str.trim().length), 0);
  if (rtlChars <= ltrChars) return items.map(({ str }) => str).join('');
  // Runs from left to right (numbers, names) stay whole; the line is read from its right end.
  const units: PlacedItem[][] = [];
  for (const item of items) {
    const unit = units.at(-1);
    const joins = unit && !item.isRtl && item.str.trim() !== '' && !unit[0]!.isRtl && unit[0]!.str.trim() !== '';
    if (joins) unit.push(item);
    else units.push([item]);
  }
  return units
    .sort((one, other) => other[0]!.start - one[0]!.start)
    .map((unit) => unit.map(({ str }) => str).join(''))
    .join('');
}
