import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { ExtractedPage, Extraction } from '@semantic-memory/shared/contracts/model/extraction';
import type { JobWarning } from '@semantic-memory/shared/contracts/model/job';
import { normaliseText } from '@semantic-memory/shared/ingest/plain-text/normalise-text';
import type { FormatParser, ParseContext } from '../format-parser.ts';
import { corrupt } from '../library-error.ts';
import { openPdf, type PdfDocument } from '../pdf/open-pdf.ts';
import { type TextItem, toLines } from '../pdf/page-lines.ts';
import { FontSizes, toMarkdown } from '../pdf/page-text.ts';
import { isStampedScan } from '../pdf/stamped-scan.ts';
import { type Annotation, typedText } from '../pdf/typed-text.ts';

/** A page with fewer characters than this is a picture with, at most, a page number. */
const minTextChars = 10;
/** What Node can still hand on and a worker can hold. */
const maxTextChars = 50_000_000;

/** PDF: the text of each page in reading order; pages without text are left to OCR. */
export const parsePdf: FormatParser = (path, context) => parsePdfWithin(maxTextChars, path, context);

/** @param mostChars more text than this is refused */
export async function parsePdfWithin(
  mostChars: number,
  path: string,
  { mediaType, limits, progress }: ParseContext,
): Promise<Extraction> {
  const document = await openPdf(path);
  const pageCount = document.numPages;
  if (pageCount > limits.maxPages) {
    throw new MemoryError('too_many_pages', `The PDF has ${pageCount} pages; at most ${limits.maxPages} are allowed.`, {
      hint: 'Split it into smaller documents.',
    });
  }
  const sizes = new FontSizes();
  const pages: ExtractedPage[] = [];
  const warnings: JobWarning[] = [];
  let chars = 0;
  for (let number = 1; number <= pageCount; number++) {
    const page = await readPage(document, number, sizes);
    if (page === undefined) {
      warnings.push({ code: 'page_text_unreadable', message: 'The text of the page is damaged.', page: number });
    }
    const { printed, typed, needsOcr } = page ?? { printed: '', typed: '', needsOcr: true };
    // Of a picture OCR reads what is typed over it too.
    const text = needsOcr || typed === '' ? printed : `${printed}\n\n${typed}`;
    chars += text.length;
    if (chars > mostChars) {
      throw new MemoryError('limits_exceeded', `The PDF holds more than ${mostChars} characters of text.`, {
        hint: 'Split it into smaller documents.',
      });
    }
    pages.push({ number, text, needsOcr });
    progress();
  }
  if (warnings.length === pageCount) throw corrupt('PDF');
  const title = await titleOf(document);
  return { schemaVersion: 1, mediaType, ...(title ? { title } : {}), paged: true, pages, warnings };
}

interface PageText {
  readonly printed: string;
  /** Into the fields of a form, and over the page. */
  readonly typed: string;
  /** It is a picture. */
  readonly needsOcr: boolean;
}

/** A page's text, or nothing where the page is damaged; OCR then tries to see what can still be drawn. */
async function readPage(document: PdfDocument, number: number, sizes: FontSizes): Promise<PageText | undefined> {
  try {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent({ disableNormalization: true });
    const annotations = (await page.getAnnotations().catch(() => [])) as Annotation[];
    const texts = items.filter((item) => 'str' in item) as TextItem[];
    const lines = toLines(texts);
    sizes.add(lines);
    const printed = normaliseText(toMarkdown(lines, sizes.body()));
    const hasText = printed.replace(/\s/g, '').length >= minTextChars;
    const needsOcr = !hasText || (await isStampedScan(page, texts));
    page.cleanup();
    return { printed, typed: normaliseText(typedText(annotations).join('\n\n')), needsOcr };
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return undefined;
  }
}

const fileName = /\.(?:docx?|pdf|tex|dvi|indd|qxd|xlsx?|pptx?|rtf|odt|html?|pub|wpd|tiff?|jpe?g|png)$/i;

/** The title in the metadata, where a person put it there and not a program. */
async function titleOf(document: PdfDocument): Promise<string | undefined> {
  const info = (await document.getMetadata().catch(() => undefined))?.info as { Title?: unknown } | undefined;
  if (typeof info?.Title !== 'string') return undefined;
  const title = normaliseText(info.Title)
    .replace(/\s+/g, ' ')
    .replace(/^Microsoft (?:Word|PowerPoint|Excel) - /, '')
    .trim();
  const isSensible = title.length >= 3 && title.length <= 300 && /\p{L}{2}/u.test(title) && !fileName.test(title);
  return isSensible &&
    !/^(?:untitled(?: document| spreadsheet| presentation)?|slide \d+|document\d*|print|layout \d+)$/i.test(title)
    ? title
    : undefined;
}
