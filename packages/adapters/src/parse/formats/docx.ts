import { readFile } from 'node:fs/promises';
import { plainExtraction } from '@semantic-memory/shared/ingest/plain-text/plain-extraction';
import mammoth from 'mammoth';
import { withPages, withPlaces } from '../docx/embedded-pages.ts';
import { withHeadingNames } from '../docx/heading-styles.ts';
import { withHiddenText } from '../docx/hidden-text.ts';
import { withNumbers } from '../docx/numbers.ts';
import type { FormatParser } from '../format-parser.ts';
import { corrupt, isEngineLimit } from '../library-error.ts';
import { htmlToMarkdown } from '../text/html-to-markdown.ts';
import { checkTagDepth } from '../text/tag-depth.ts';
import { replaceEntries } from '../zip/replace-entries.ts';
import { inflateEntry, readZipDirectory, type ZipEntry } from '../zip/zip-directory.ts';

const kind = 'DOCX';
const stylesName = 'word/styles.xml';
const numberingName = 'word/numbering.xml';
/** mammoth ends each note with a link to where it belongs. */
const backToReference = / <a href="#(?:foot|end)note-ref-[^"]{0,100}">↑<\/a>/g;

/** Word documents: headings, lists and tables as Markdown, then what stands in headers and footers. */
export const parseDocx: FormatParser = async (path, { mediaType, limits }) => {
  const bytes = await readFile(path);
  const entries = readZipDirectory(bytes, kind, limits.maxInflatedBytes);
  const part = (entry: ZipEntry) => inflateEntry(bytes, entry, kind).toString('utf8');
  const named = (name: string) => entries.find((entry) => entry.name === name);
  const partNamed = (name: string) => {
    const entry = named(name);
    return entry ? part(entry) : '';
  };
  const completed = new Map<string, Buffer>();
  const complete = (name: string, before: string, after: string) => {
    if (after !== before) completed.set(name, Buffer.from(after));
  };
  const styles = partNamed(stylesName);
  const numberings = partNamed(numberingName);
  complete(stylesName, styles, withHeadingNames(styles));
  for (const entry of entries) {
    if (!/^word\/document\d*\.xml$/.test(entry.name)) continue;
    const xml = part(entry);
    checkTagDepth(xml);
    const numbered = withNumbers(withHiddenText(withPlaces(xml)), styles, numberings);
    complete(entry.name, xml, numbered.xml);
    complete(numberingName, numberings, numbered.numberings);
  }
  const html = await toHtml(completed.size === 0 ? bytes : replaceEntries(bytes, entries, completed, kind));
  const main = withPages(
    htmlToMarkdown(html, { mainContentOnly: false }),
    partNamed('word/_rels/document.xml.rels'),
    (name) => {
      const entry = named(name);
      return entry && inflateEntry(bytes, entry, kind);
    },
  );
  const text = [main.text.trim()];
  // mammoth leaves them out. Each line once: sections repeat them.
  const around = entries.filter(({ name }) => /^word\/(?:header|footer)\d*\.xml$/.test(name));
  const lines = new Set(around.flatMap((entry) => paragraphsOf(part(entry))));
  if (lines.size > 0) text.push([...lines].join('\n\n'));
  const title = /<dc:title[^>]{0,100}>([^<]{1,1000})</.exec(partNamed('docProps/core.xml'))?.[1];
  const warnings = main.unread.map((name) => ({
    code: 'part_not_read',
    message: `The document takes in the file ${name}, which is not read.`,
  }));
  return { ...plainExtraction(mediaType, text.join('\n\n'), title && unescapeXml(title)), warnings };
};

async function toHtml(buffer: Buffer): Promise<string> {
  try {
    const result = await mammoth.convertToHtml(
      { buffer },
      {
        externalFileAccess: false,
        // Pictures in documents are not read; their alternative text is.
        convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
      },
    );
    return result.value.replace(backToReference, '');
  } catch (error) {
    if (isEngineLimit(error)) throw error;
    // mammoth and its zip and XML readers throw plain errors for every fault of a document.
    throw corrupt(kind, error);
  }
}

/** The text of a part, by paragraph, without page numbers and the like. */
function paragraphsOf(xml: string): string[] {
  return xml
    .split('</w:p>')
    .map((paragraph) =>
      [...paragraph.matchAll(/<w:t(?: [^>]{0,100})?>([^<]*)<\/w:t>|<w:(?:tab|ptab|br|cr)(?: [^>]{0,200})?\/>/g)].map(
        ([, run]) => run ?? ' ',
      ),
    )
    .map((runs) => unescapeXml(runs.join('')).replace(/\s+/g, ' ').trim())
    .filter((line) => /\p{L}/u.test(line));
}

function unescapeXml(text: string): string {
  return text
    .replace(/&#(?:x([\da-f]{1,5})|(\d{1,6}));/gi, (_, hex, decimal) =>
      String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16)),
    )
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, '&');
}
