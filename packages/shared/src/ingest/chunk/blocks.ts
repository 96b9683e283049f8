import type { Span } from '../../contracts/model/ids.ts';

/** A heading, paragraph, table or fence of a Markdown text. Blocks come in order; only blank space lies between them. */
export type Block =
  | (Span & { readonly kind: 'heading'; readonly level: number; readonly title: string })
  | (Span & { readonly kind: 'paragraph' })
  /** `lines` of a table or of fenced code; a table's first one spans its header and the rule under it. */
  | (Span & { readonly kind: 'table' | 'code'; readonly lines: readonly Span[] });

/** A longer line that begins with `#` is text. */
const maxHeadingCharacters = 300;

interface Line extends Span {
  readonly text: string;
}

/** Splits a text into blocks. Linear in its length, whatever its lines look like. */
export function* blocksOf(text: string): Generator<Block> {
  const lines = new LineReader(text);
  let paragraph: Span | undefined;
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const block = isBlank(line) ? undefined : (fence(line, lines) ?? table(line, lines) ?? atxHeading(line));
    const underlined = paragraph !== undefined && setextHeading(text, paragraph, line);
    if (underlined) {
      yield underlined;
      paragraph = undefined;
    } else if (block !== undefined || isBlank(line)) {
      if (paragraph !== undefined) yield { kind: 'paragraph', ...paragraph };
      paragraph = undefined;
      if (block !== undefined) yield block;
    } else paragraph = { start: paragraph?.start ?? line.start, end: line.end };
  }
  if (paragraph !== undefined) yield { kind: 'paragraph', ...paragraph };
}

class LineReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Line | undefined {
    const line = this.peek();
    if (line !== undefined) this.#at = line.end + 1;
    return line;
  }

  peek(): Line | undefined {
    if (this.#at >= this.#text.length) return undefined;
    const newline = this.#text.indexOf('\n', this.#at);
    const end = newline < 0 ? this.#text.length : newline;
    return { start: this.#at, end, text: this.#text.slice(this.#at, end) };
  }
}

const isBlank = (line: Line) => !/\S/.test(line.text);

function atxHeading(line: Line): Block | undefined {
  if (line.text.length > maxHeadingCharacters) return undefined;
  const match = /^ {0,3}(#{1,6})[ \t]+(\S.*)$/.exec(line.text);
  if (match === null) return undefined;
  return headingBlock(line, match[1]!.length, match[2]!.replace(/[ \t]+#*[ \t]*$/, ''));
}

/** A single line over a rule of `=` or `-`. */
function setextHeading(text: string, above: Span, rule: Line): Block | undefined {
  if (above.end - above.start > maxHeadingCharacters || rule.text.length > maxHeadingCharacters) return undefined;
  const match = /^ {0,3}(=+|-{3,})[ \t\r]*$/.exec(rule.text);
  const title = text.slice(above.start, above.end);
  if (match === null || title.includes('\n')) return undefined;
  return headingBlock({ start: above.start, end: rule.end }, match[1]!.startsWith('=') ? 1 : 2, title);
}

function headingBlock({ start, end }: Span, level: number, markdown: string): Block {
  const title = markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*`]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '')
    .trim();
  return { kind: 'heading', start, end, level, title };
}

function fence(first: Line, lines: LineReader): Block | undefined {
  const mark = /^ {0,3}(`{3,}|~{3,})/.exec(first.text)?.[1];
  if (mark === undefined) return undefined;
  const spans: Span[] = [];
  let end = first.end;
  for (let line: Line | undefined = first; line !== undefined; line = lines.next()) {
    if (!isBlank(line)) {
      spans.push({ start: line.start, end: line.end });
      end = line.end;
    }
    if (line !== first && line.text.trimStart().startsWith(mark) && line.text.trim().length < mark.length + 4) break;
  }
  return { kind: 'code', start: first.start, end, lines: spans };
}

function table(header: Line, lines: LineReader): Block | undefined {
  const rule = lines.peek();
  if (!header.text.includes('|') || rule === undefined || !isTableRule(rule.text)) return undefined;
  lines.next();
  const spans: Span[] = [{ start: header.start, end: rule.end }];
  for (let row = lines.peek(); row?.text.includes('|'); row = lines.peek()) {
    spans.push({ start: row.start, end: row.end });
    lines.next();
  }
  return { kind: 'table', start: header.start, end: spans.at(-1)!.end, lines: spans };
}

const isTableRule = (line: string) => /^[\s|:-]+$/.test(line) && line.includes('-') && line.includes('|');
