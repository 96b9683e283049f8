import type { DocumentText, Extraction, OcrPage } from '../../contracts/model/extraction.ts';

const separator = '\n\n';

/**
 * The whole text of a version: the parser's pages in order, with what OCR read where the parser found a picture.
 * Deterministic, since every span points into it.
 */
export function assembleText(extraction: Extraction, ocrPages: ReadonlyMap<number, OcrPage>): DocumentText {
  const parts: string[] = [];
  const pages: { number: number; span: { start: number; end: number } }[] = [];
  let length = 0;
  for (const page of extraction.pages) {
    const read = ocrPages.get(page.number)?.text.trim() ?? '';
    const own = page.text.trim();
    const text = own && read ? `${own}${separator}${read}` : own || read;
    if (parts.length > 0) length += separator.length;
    pages.push({ number: page.number, span: { start: length, end: length + text.length } });
    parts.push(text);
    length += text.length;
  }
  return { text: parts.join(separator), pages: extraction.paged ? pages : [] };
}
