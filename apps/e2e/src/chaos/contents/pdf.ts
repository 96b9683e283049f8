import { drawPage, type Picture } from './picture.ts';

/** A page with text of its own, or one that is only a picture of it. */
export type PdfPage = { readonly text: string } | { readonly pictureOf: string };

const lineCharacters = 80;
const [pageWidth, pageHeight] = [612, 792];

/** A PDF 1.4 of US letter pages, text in Helvetica, pictures as JPEG. */
export async function writePdf(pages: readonly PdfPage[]): Promise<Uint8Array> {
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n')];
  const offsets: number[] = [];
  let length = parts[0]?.length ?? 0;
  const add = (number: number, ...pieces: (string | Uint8Array)[]) => {
    offsets[number] = length;
    for (const piece of [`${number} 0 obj\n`, ...pieces, '\nendobj\n']) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : Buffer.from(piece);
      parts.push(bytes);
      length += bytes.length;
    }
  };
  const first = (index: number) => 4 + index * 3;
  add(1, '<</Type/Catalog/Pages 2 0 R>>');
  add(2, `<</Type/Pages/Count ${pages.length}/Kids[${pages.map((_, index) => `${first(index)} 0 R`).join(' ')}]>>`);
  add(3, '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>');
  for (const [index, page] of pages.entries()) {
    const id = first(index);
    const isText = 'text' in page;
    const picture = isText ? undefined : drawPage(page.pictureOf);
    const content = picture ? pictureContent(picture) : textContent(isText ? page.text : '');
    const resources = isText ? '/Font<</F1 3 0 R>>' : `/XObject<</Im1 ${id + 2} 0 R>>`;
    add(
      id,
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 ${pageWidth} ${pageHeight}]/Contents ${id + 1} 0 R/Resources<<${resources}>>>>`,
    );
    add(id + 1, `<</Length ${content.length}>>stream\n`, content, '\nendstream');
    if (!picture) add(id + 2, 'null');
    else {
      const jpeg = await picture.jpeg();
      const shape = `/Width ${picture.width}/Height ${picture.height}/ColorSpace/DeviceRGB/BitsPerComponent 8`;
      add(
        id + 2,
        `<</Type/XObject/Subtype/Image${shape}/Filter/DCTDecode/Length ${jpeg.length}>>stream\n`,
        jpeg,
        '\nendstream',
      );
    }
  }
  const entries = offsets.slice(1).map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`);
  const trailer = `trailer\n<</Size ${offsets.length}/Root 1 0 R>>\nstartxref\n${length}\n%%EOF`;
  parts.push(Buffer.from(`xref\n0 ${offsets.length}\n0000000000 65535 f \n${entries.join('')}${trailer}`));
  return Buffer.concat(parts);
}

/** At the top of the page, as wide as it is. */
function pictureContent({ width, height }: Picture): string {
  const drawn = Math.round((pageWidth * height) / width);
  return `q ${pageWidth} 0 0 ${drawn} 0 ${pageHeight - drawn} cm /Im1 Do Q`;
}

/** Lines of at most 80 characters below one another. Texts must not need escaping. */
function textContent(text: string): string {
  const lines = text.match(new RegExp(`\\S.{0,${lineCharacters - 1}}(?=\\s|$)`, 'g')) ?? [];
  return lines.map((line, index) => `BT /F1 11 Tf 60 ${740 - index * 14} Td (${line}) Tj ET`).join('\n');
}
