import type TurndownService from 'turndown';

const partNames = ['td', 'th', 'tr', 'thead', 'tbody', 'tfoot', 'caption'] as const;
/** What a cell of data does not hold: such a table only arranges a page. Headings in header cells name columns. */
const arranged = ['table', 'pre', 'blockquote', 'hr', ...[1, 2, 3, 4, 5, 6].map((level) => `td h${level}`)].join(',');
/** As the HTML standard has it. */
const maxSpan = 1000;

/** The little of the DOM that tables are read by. Not `rows` and the like, which search the whole table each time. */
interface PartLike {
  readonly nodeName: string;
  readonly firstChild: PartLike | null;
  readonly nextSibling: PartLike | null;
  getAttribute(name: string): string | null;
  querySelector(selector: string): unknown;
}

/** What a part of a table says; of parts that are left out there is nothing. */
type Contents = WeakMap<object, string>;

/**
 * Tables as those of GitHub's Markdown, the first row as the header: a cell is one line, and what spans several stands
 * in the first of them. Tables that only arrange a page are told cell by cell.
 */
export function tables(service: TurndownService): void {
  const contents: Contents = new WeakMap();
  service.addRule('part of a table', {
    filter: [...partNames],
    replacement: (content, node) => {
      contents.set(node, content);
      return `\n\n${content}\n\n`;
    },
  });
  service.addRule('table', {
    filter: 'table',
    replacement: (content, node) => `\n\n${tableOf(node as unknown as PartLike, contents) ?? content}\n\n`,
  });
}

/** The table as Markdown, or nothing where it is none. */
function tableOf(table: PartLike, contents: Contents): string | undefined {
  if (table.querySelector(arranged)) return undefined;
  const parts = [...partsIn(table, contents)];
  const captions = parts.filter(({ nodeName }) => nodeName === 'CAPTION');
  const sections = parts.filter(({ nodeName }) => nodeName !== 'CAPTION');
  const rows = sections.flatMap((section) => [...partsIn(section, contents)]);
  const grid = gridOf(rows, contents).filter((row) => row.some((cell) => cell !== ''));
  const width = grid.reduce((most, { length }) => Math.max(most, length), 0);
  if (width < 2 || grid.length < 2) return undefined;
  const [header, ...body] = grid as [string[], ...string[][]];
  const filled = Array.from({ length: width }, (_, column) => header[column] ?? '');
  const lines = [filled, filled.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`);
  return [...captions.map((caption) => contents.get(caption)!.trim()), lines.join('\n')].join('\n\n');
}

function* partsIn(whole: PartLike, contents: Contents): Generator<PartLike> {
  for (let part = whole.firstChild; part; part = part.nextSibling) if (contents.has(part)) yield part;
}

/** What stands in each column, row by row, up to the last cell of each. */
function gridOf(rows: readonly PartLike[], contents: Contents): string[][] {
  /** For how many rows more a cell from above takes each column. */
  let taken: number[] = [];
  return rows.map((part) => {
    const row: string[] = [];
    let column = 0;
    for (const cell of partsIn(part, contents)) {
      while (taken[column]) column += 1;
      while (row.length < column) row.push('');
      row.push(lineOf(contents.get(cell)!));
      const end = column + spanOf(cell, 'colspan');
      for (; column < end; column++) taken[column] = spanOf(cell, 'rowspan');
    }
    taken = taken.map((rowsMore) => Math.max(0, rowsMore - 1));
    return row;
  });
}

function spanOf(cell: PartLike, name: string): number {
  const span = Number.parseInt(cell.getAttribute(name) ?? '', 10);
  return span > 1 ? Math.min(span, maxSpan) : 1;
}

/** A cell's paragraphs, items and lines as one. */
function lineOf(content: string): string {
  return content
    .replace(/^#{1,6} /gm, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replaceAll('|', '\\|');
}
