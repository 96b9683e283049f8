import { expect, jest, test } from '@jest/globals';
import sharp from 'sharp';
import { parsePdf } from '../formats/pdf.ts';
import { contextOf, withFile } from '../testing/format-context.ts';
import { makePdf, type PdfLine } from '../testing/make-pdf.ts';

// pdf.js takes its time on a busy machine.
jest.setTimeout(60_000);

const width = 612;
const height = 792;
const picture = await sharp({ create: { width, height, channels: 3, background: 'white' } })
  .greyscale()
  .jpeg()
  .toBuffer();

const at = (y: number, text = 'ABC-000123 received on 4 May'): PdfLine => ({ text, x: 72, y, size: 10 });

/** What is read of a page with a picture all over it, once its content was altered. */
async function read(stamps: readonly PdfLine[], alter = (content: string) => content, form?: string) {
  const pdf = makePdf([{ bytes: picture, filter: 'DCTDecode', width, height, stamps }]).toString('latin1');
  const altered = pdf
    .slice(0, pdf.indexOf('xref\n'))
    .replace(/\/Length \d+>>stream\n(q 612[\s\S]*?)\nendstream/, (_, content: string) => {
      const changed = alter(content);
      return `/Length ${changed.length}>>stream\n${changed}\nendstream`;
    })
    .replace('/Im1 7 0 R', '/Im1 7 0 R/Fm1 8 0 R');
  const others = form === undefined ? '' : `8 0 obj\n${form}\nendobj\n`;
  const complete = Buffer.from(`${altered}${others}trailer\n<</Root 1 0 R>>\n`, 'latin1');
  return (await withFile(complete, (path) => parsePdf(path, contextOf('application/pdf')))).pages;
}

test('a scan with a stamp above or below is left to OCR, and the stamp is kept', async () => {
  for (const stamps of [[at(770)], [at(20)], [at(770), at(30, 'Page 3 of 7'), at(400, ' ')]]) {
    const [page] = await read(stamps);
    expect(page).toMatchObject({ needsOcr: true, text: expect.stringContaining(stamps[0]!.text) });
  }
});

test('text within the page is what the page says, whatever is painted behind it', async () => {
  expect(await read([at(770), at(400, 'Quarterly figures')])).toMatchObject([{ needsOcr: false }]);
});

test.each([
  ['half as wide', (content: string) => content.replace('q 612', 'q 306')],
  ['scaled down twice', (content: string) => `q .8 0 0 .8 0 0 cm ${content} Q`],
  ['not drawn', (content: string) => content.replace('/Im1 Do', '')],
])('a header beside a picture that is %s is an ordinary page', async (_, alter) => {
  expect(await read([at(770)], alter)).toMatchObject([{ needsOcr: false }]);
});

test('scaling that is over counts no more', async () => {
  const alter = (content: string) => `q .1 0 0 .1 0 0 cm Q Q ${content}`;
  expect(await read([at(770)], alter)).toMatchObject([{ needsOcr: true }]);
});

test.each([
  ['', true],
  ['/Matrix[.8 0 0 .8 0 0]', false],
])('a picture inside a form%s counts as it is drawn: %p', async (matrix, needsOcr) => {
  const drawing = `q ${width} 0 0 ${height} 0 0 cm /Im1 Do Q`;
  const dictionary = `/Type/XObject/Subtype/Form/BBox[0 0 ${width} ${height}]${matrix}/Resources<</XObject<</Im1 7 0 R>>>>`;
  const form = `<<${dictionary}/Length ${drawing.length}>>stream\n${drawing}\nendstream`;
  const alter = (content: string) => content.replace(/^q .* Q/, 'q 1 0 0 1 0 0 cm /Fm1 Do Q');
  expect(await read([at(770)], alter, form)).toMatchObject([{ needsOcr }]);
});
