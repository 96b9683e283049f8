import { readFile } from 'node:fs/promises';
import { plainExtraction } from '@semantic-memory/shared/ingest/plain-text/plain-extraction';
import type { FormatParser } from '../format-parser.ts';
import { charsetOf, decodeText } from '../text/charset.ts';
import { htmlToMarkdown } from '../text/html-to-markdown.ts';

// Where the HTML standard looks for a declaration.
const metaBytes = 1024;

/** A web page: what it says, without what stands around it. Nothing in it is run or fetched. */
export const parseHtml: FormatParser = async (path, { mediaType, declaredMediaType }) => {
  const bytes = await readFile(path);
  const { text, warnings } = decodeText(bytes, charsetOf(declaredMediaType) ?? metaCharset(bytes));
  const html = asHtml(text);
  const content = htmlToMarkdown(html, { mainContentOnly: true });
  // A page that is nothing but navigation still says something.
  const shown = content === '' ? htmlToMarkdown(html, { mainContentOnly: false }) : content;
  return { ...plainExtraction(mediaType, shown, titleOf(html)), warnings: [...warnings] };
};

/**
 * The page without what an HTML parser trips over: frames, in whose place their `noframes` stands, and elements that
 * XHTML ends at once (`<script src="a.js"/>`), which in HTML take in all that follows.
 */
function asHtml(page: string): string {
  const unframed = page.replace(/<\/?(?:frameset|noframes)(?:\s[^>]*)?>/gi, '');
  if (!/^\s*<\?xml\s/.test(unframed)) return unframed;
  return unframed.replace(/<(?!br\b)([a-z][\w:-]*)((?:\s[^<>]*)?)\/>/gi, '<$1$2></$1>');
}

function metaCharset(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, metaBytes))
    .toString('latin1')
    .replace(/<!--.*?-->/gs, '');
  const ofXml = /^\s*<\?xml[^>]{0,200}encoding\s*=\s*["']([\w.:+-]{1,40})/i.exec(head)?.[1];
  return ofXml ?? /<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:+-]{1,40})/i.exec(head)?.[1];
}

function titleOf(html: string): string | undefined {
  const title = /<title[^>]{0,200}>(.{0,2000}?)<\/title/is.exec(html.slice(0, 100_000))?.[1];
  return title && htmlToMarkdown(`<p>${title}</p>`, { mainContentOnly: false });
}
