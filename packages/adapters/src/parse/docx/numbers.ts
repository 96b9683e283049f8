import { levelOf } from './heading-styles.ts';
import { attributeIn, elementsIn } from './word-xml.ts';

interface Level {
  readonly start: number;
  readonly format: string;
  /** With `%1` for the number of the topmost level. */
  readonly text: string;
  readonly style: string | undefined;
  /** All numbers in it are decimal. */
  readonly isLegal: boolean;
}

/** Numbers of one kind, such as those of all chapters and sections. */
interface Numbering {
  readonly levels: ReadonlyMap<number, Level>;
  readonly counts: number[];
}

interface List {
  readonly numbering: Numbering;
  /** From where some levels count anew in it. */
  readonly starts: Map<number, number>;
}

const paragraph =
  /<w:p(?:\s[^>]{0,500})?><w:pPr(?:\s[^>]{0,500})?>(.{0,5000}?)<\/w:pPr>(?:<\/w:pPrChange><\/w:pPr>)?/gs;
/** No styles that somebody made are based on one another more often. */
const maxDepth = 20;

/**
 * Writes the numbers of chapters, sections and clauses into the paragraphs that have them: Word counts them when it shows
 * a document, and mammoth would count each level for itself, from 1 after each interruption. Plain lists, whose levels do
 * not name one another and belong to no heading, are left to it.
 * @returns the part with the text, and the one with the numberings without those that are written now
 */
export function withNumbers(xml: string, styles: string, numberings: string): { xml: string; numberings: string } {
  const styleOf = new Map(elementsIn(styles, 'style').map((style) => [attributeIn(style, 'style', 'styleId'), style]));
  const isHeading = (id: string | undefined) => levelOf(styleOf.get(id) ?? '', styleOf) > 0;
  const kinds = new Map<string, Numbering>();
  let others = numberings;
  for (const kind of elementsIn(numberings, 'abstractNum')) {
    const levels = levelsOf(kind);
    if (![...levels.values()].some(({ text, style }) => isHeading(style) || /%\d.*%\d/.test(text))) continue;
    kinds.set(attributeIn(kind, 'abstractNum', 'abstractNumId') ?? '', { levels, counts: [] });
    others = others.replace(`${kind}</w:abstractNum>`, '');
  }
  const lists = listsOf(numberings, kinds);
  const complete = xml.replace(paragraph, (start, properties: string) => {
    const label = labelOf(properties.split('<w:pPrChange')[0]!, styleOf, lists);
    return label === '' ? start : `${start}<w:r><w:t xml:space="preserve">${label} </w:t></w:r>`;
  });
  return { xml: complete, numberings: others };
}

function levelsOf(kind: string): Map<number, Level> {
  const levels = elementsIn(kind, 'lvl').map((level): [number, Level] => [
    Number(attributeIn(level, 'lvl', 'ilvl')),
    {
      start: Number(attributeIn(level, 'start', 'val') ?? 1),
      format: attributeIn(level, 'numFmt', 'val') ?? 'decimal',
      text: attributeIn(level, 'lvlText', 'val') ?? '',
      style: attributeIn(level, 'pStyle', 'val'),
      isLegal: level.includes('<w:isLgl/>'),
    },
  ]);
  return new Map(levels);
}

function listsOf(numberings: string, kinds: ReadonlyMap<string, Numbering>): Map<string, List> {
  const lists = new Map<string, List>();
  for (const list of elementsIn(numberings, 'num')) {
    const numbering = kinds.get(attributeIn(list, 'abstractNumId', 'val') ?? '');
    if (!numbering) continue;
    const starts = elementsIn(list, 'lvlOverride').flatMap((override): [number, number][] => {
      const start = attributeIn(override, 'startOverride', 'val');
      return start === undefined ? [] : [[Number(attributeIn(override, 'lvlOverride', 'ilvl')), Number(start)]];
    });
    lists.set(attributeIn(list, 'num', 'numId') ?? '', { numbering, starts: new Map(starts) });
  }
  return lists;
}

/** What stands before a paragraph, which is counted. */
function labelOf(
  properties: string,
  styles: ReadonlyMap<string | undefined, string>,
  lists: ReadonlyMap<string, List>,
): string {
  const styleId = attributeIn(properties, 'pStyle', 'val');
  const inherited = numberedStyle(styleId, styles);
  const list = lists.get(attributeIn(properties, 'numId', 'val') ?? attributeIn(inherited, 'numId', 'val') ?? '');
  if (!list) return '';
  const { levels, counts } = list.numbering;
  const ofStyle = [...levels].find(([, { style }]) => style !== undefined && style === styleId)?.[0];
  const own = attributeIn(properties, 'ilvl', 'val') ?? attributeIn(inherited, 'ilvl', 'val');
  const at = own === undefined ? (ofStyle ?? 0) : Number(own);
  const level = levels.get(at);
  if (!level) return '';
  if (level.format === 'bullet') return '-';
  for (const [index, start] of list.starts) counts[index] = start - 1;
  list.starts.clear();
  counts[at] = (counts[at] ?? level.start - 1) + 1;
  counts.length = at + 1;
  if (level.format === 'none') return '';
  return level.text.replace(/%(\d)/g, (_, digit) => {
    const named = levels.get(Number(digit) - 1);
    const count = counts[Number(digit) - 1] ?? named?.start ?? 1;
    return written(count, level.isLegal ? 'decimal' : named?.format);
  });
}

/** The style itself or the one nearest to it, of those it is based on, that is numbered; nothing where none is. */
function numberedStyle(id: string | undefined, styles: ReadonlyMap<string | undefined, string>): string {
  let style = styles.get(id);
  for (let depth = 0; style && depth < maxDepth; depth++) {
    if (style.includes('<w:numId ')) return style;
    style = styles.get(attributeIn(style, 'basedOn', 'val'));
  }
  return '';
}

function written(count: number, format: string | undefined): string {
  const isSmall = count > 0 && count <= 780;
  const isUpper = format?.startsWith('upper') ?? false;
  if (format === 'decimalZero') return String(count).padStart(2, '0');
  if (!isSmall || !/^(?:lower|upper)(?:Letter|Roman)$/.test(format ?? '')) return String(count);
  const text = format?.endsWith('Roman') ? roman(count) : letters(count);
  return isUpper ? text.toUpperCase() : text;
}

/** a to z, then aa to zz, as Word has it. */
function letters(count: number): string {
  return String.fromCharCode(97 + ((count - 1) % 26)).repeat(Math.ceil(count / 26));
}

function roman(count: number): string {
  const signs: [number, string][] = [
    [500, 'd'],
    [400, 'cd'],
    [100, 'c'],
    [90, 'xc'],
    [50, 'l'],
    [40, 'xl'],
    [10, 'x'],
    [9, 'ix'],
    [5, 'v'],
    [4, 'iv'],
    [1, 'i'],
  ];
  let rest = count;
  let text = '';
  for (const [value, sign] of signs) {
    text += sign.repeat(Math.floor(rest / value));
    rest %= value;
  }
  return text;
}
