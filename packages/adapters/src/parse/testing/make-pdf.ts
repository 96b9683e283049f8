/** A page of a test PDF: lines of text, or a scan. */
export type PageContent = { readonly lines: readonly PdfLine[] } | Scan;

/** One grey or black and white picture over the whole page, and what was stamped over it. */
export interface Scan {
  readonly bytes: Uint8Array;
  /** How they are compressed: JPEG, JPEG 2000, CCITT group 4, JBIG2 without global segments. */
  readonly filter: keyof typeof scanFilters;
  readonly width: number;
  readonly height: number;
  readonly stamps?: readonly PdfLine[];
}

/** What each filter needs to be told, by `width`. */
const scanFilters = {
  DCTDecode: () => '/BitsPerComponent 8',
  JPXDecode: () => '/BitsPerComponent 8',
  CCITTFaxDecode: (width: number) => `/BitsPerComponent 1/DecodeParms<</K -1/Columns ${width}/BlackIs1 true>>`,
  JBIG2Decode: () => '/BitsPerComponent 1',
} as const;

export interface PdfLine {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** Lines below one another, as a letter has them. */
export function pageOfLines(texts: readonly string[], size = 12): PageContent {
  return { lines: texts.map((text, index) => ({ text, x: 72, y: 720 - index * size * 1.25, size })) };
}

/** Writes a small PDF in Helvetica. Pages have the width of US letter; those with lines its height too, a scan its own. */
export function makePdf(pages: readonly PageContent[], info = ''): Buffer {
  const chunks: Buffer[] = [Buffer.from('%PDF-1.4\n')];
  const offsets: number[] = [];
  let length = chunks[0]!.length;
  const add = (number: number, ...parts: (string | Uint8Array)[]) => {
    offsets[number] = length;
    for (const part of [`${number} 0 obj\n`, ...parts, '\nendobj\n']) {
      const bytes = Buffer.from(part as string);
      chunks.push(bytes);
      length += bytes.length;
    }
  };
  add(1, '<</Type/Catalog/Pages 2 0 R>>');
  add(2, `<</Type/Pages/Count ${pages.length}/Kids[${pages.map((_, index) => `${5 + index * 3} 0 R`).join(' ')}]>>`);
  add(3, '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>');
  add(4, `<<${info}>>`);
  for (const [index, page] of pages.entries()) {
    const first = 5 + index * 3;
    const pageHeight = 'lines' in page ? 792 : (612 * page.height) / page.width;
    const content =
      'lines' in page ? drawn(page.lines) : `q 612 0 0 ${pageHeight} 0 0 cm /Im1 Do Q\n${drawn(page.stamps ?? [])}`;
    const picture = 'lines' in page ? '' : `/XObject<</Im1 ${first + 2} 0 R>>`;
    const resources = `/Font<</F1 3 0 R>>${picture}`;
    add(
      first,
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 ${pageHeight}]/Contents ${first + 1} 0 R/Resources<<${resources}>>>>`,
    );
    add(first + 1, `<</Length ${content.length}>>stream\n`, content, '\nendstream');
    if ('lines' in page) add(first + 2, 'null');
    else {
      const { bytes, filter, width, height } = page;
      const shape = `/Width ${width}/Height ${height}/ColorSpace/DeviceGray${scanFilters[filter](width)}`;
      add(
        first + 2,
        `<</Type/XObject/Subtype/Image${shape}/Filter/${filter}/Length ${bytes.length}>>stream\n`,
        bytes,
        '\nendstream',
      );
    }
  }
  const entries = offsets.slice(1).map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`);
  const trailer = `trailer\n<</Size ${offsets.length}/Root 1 0 R/Info 4 0 R>>\nstartxref\n${length}\n%%EOF`;
  chunks.push(Buffer.from(`xref\n0 ${offsets.length}\n0000000000 65535 f \n${entries.join('')}${trailer}`));
  return Buffer.concat(chunks);
}

function drawn(lines: readonly PdfLine[]): string {
  return lines.map(({ text, x, y, size }) => `BT /F1 ${size} Tf ${x} ${y} Td (${escapeString(text)}) Tj ET`).join('\n');
}

function escapeString(text: string): string {
  return text.replace(/[\\()]/g, '\\$&');
}
