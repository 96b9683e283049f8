import { readFile } from 'node:fs/promises';
import { plainExtraction } from '@semantic-memory/shared/ingest/plain-text/plain-extraction';
import type { FormatParser } from '../format-parser.ts';
import { charsetOf, decodeText } from '../text/charset.ts';

/** Markdown is the form that all text takes here, so it is kept as it is. */
export const parseMarkdown: FormatParser = async (path, { mediaType, declaredMediaType }) => {
  const { text, warnings } = decodeText(await readFile(path), charsetOf(declaredMediaType));
  const start = text.slice(0, 20_000).replace(/\r\n?/g, '\n');
  return {
    ...plainExtraction(mediaType, text, frontMatterTitle(start) ?? firstHeading(start)),
    warnings: [...warnings],
  };
};

/** `title:` of a YAML front matter, without a YAML parser, whose features are its risks. */
function frontMatterTitle(start: string): string | undefined {
  if (!start.startsWith('---\n')) return undefined;
  const end = start.indexOf('\n---', 4);
  if (end < 0) return undefined;
  const title = /^title:[ \t]*(.+)$/m.exec(start.slice(4, end))?.[1]?.trim();
  return title?.replace(/^(["'])(.*)\1$/, '$2');
}

/** The text of a level-one heading near the start. */
function firstHeading(start: string): string | undefined {
  return /^# +(\S.*)$/m.exec(start)?.[1]?.replace(/ +#+ *$/, '');
}
