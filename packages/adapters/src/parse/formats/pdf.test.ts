import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import { contextOf, generousLimits, withFile } from '../testing/format-context.ts';
import { makePdf, type PageContent, pageOfLines } from '../testing/make-pdf.ts';
import { parsePdf, parsePdfWithin } from './pdf.ts';

// pdf.js takes its time on a busy machine.
jest.setTimeout(60_000);

const mediaType = 'application/pdf';
const parse = (pdf: Uint8Array, limits = generousLimits) =>
  withFile(pdf, (path) => parsePdf(path, contextOf(mediaType, { limits })));

const harbour = pageOfLines(['A page that tells of the harbour.']);
const sea = pageOfLines(['Another page about the sea.']);

/** A PDF of two pages with something else in the place of a part of the same length. */
function alteredPdf(part: string, instead: string): Buffer {
  const pdf = makePdf([harbour, sea]).toString('latin1');
  if (!pdf.includes(part)) throw new Error(`the PDF has no ${part}`);
  return Buffer.from(pdf.replace(part, instead.padEnd(part.length)), 'latin1');
}

test('text comes by page with a sign of life for each, and a page with next to none is left to OCR', async () => {
  let signs = 0;
  const progress = () => {
    signs += 1;
  };
  const pdf = makePdf([harbour, pageOfLines(['7'])], '/Title(Report of the harbour)');
  expect(await withFile(pdf, (path) => parsePdf(path, contextOf(mediaType, { progress })))).toEqual({
    schemaVersion: 1,
    mediaType,
    title: 'Report of the harbour',
    paged: true,
    pages: [
      { number: 1, text: 'A page that tells of the harbour.', needsOcr: false },
      { number: 2, text: '7', needsOcr: true },
    ],
    warnings: [],
  });
  expect(signs).toBe(2);
});

test('a damaged page is left to OCR with a warning, and the others are read', async () => {
  const { pages, warnings } = await parse(alteredPdf('/Kids[5 0 R 8 0 R]', '/Kids[5 0 R (ab) ]'));
  expect(pages).toEqual([
    { number: 1, text: 'A page that tells of the harbour.', needsOcr: false },
    { number: 2, text: '', needsOcr: true },
  ]);
  expect(warnings).toEqual([{ code: 'page_text_unreadable', message: expect.any(String), page: 2 }]);
});

test('a PDF of which no page can be read is damaged', async () => {
  await expect(parse(Buffer.from('%PDF-1.7\n'))).rejects.toMatchObject({ code: 'corrupt_document' });
  await expect(parse(alteredPdf('/Kids[5 0 R 8 0 R]', '/Kids[(a) (b)    ]'))).rejects.toMatchObject({
    code: 'corrupt_document',
  });
});

test('a PDF with a password says so', async () => {
  const locked = await readFile(fileURLToPath(new URL('../../../testdata/parse/locked.pdf', import.meta.url)));
  await expect(parse(locked)).rejects.toMatchObject({ code: 'encrypted_document' });
});

test('too many pages and too much text are refused', async () => {
  const pdf = makePdf([harbour, sea]);
  await expect(parse(pdf, { ...generousLimits, maxPages: 1 })).rejects.toMatchObject({
    code: 'too_many_pages',
    message: expect.stringContaining('2 pages'),
  });
  const within = (chars: number) => withFile(pdf, (path) => parsePdfWithin(chars, path, contextOf(mediaType)));
  await expect(within(50)).rejects.toMatchObject({ code: 'limits_exceeded', message: expect.stringContaining('50') });
  expect((await within(60)).pages).toHaveLength(2);
});

test.each([
  ['(Microsoft Word - Tides of the north)', 'Tides of the north'],
  ['(Tides   of\nthe north)', 'Tides of the north'],
  ['(report_final.docx)', undefined],
  ['(Untitled)', undefined],
  ['(Untitled spreadsheet)', undefined],
  ['(Slide 12)', undefined],
  ['(ab)', undefined],
  ['(12.3.2024)', undefined],
  [`(${'long '.repeat(70)})`, undefined],
  ['/AName', undefined],
])('of the title %s in the metadata a reader sees %s', async (written, title) => {
  expect((await parse(makePdf([harbour], `/Title${written}`))).title).toBe(title);
});

/** A PDF of one page whose annotations are given, and other objects behind it. */
function annotatedPdf(page: PageContent, annotations: string, others = ''): Buffer {
  const pdf = makePdf([page]).toString('latin1');
  const annotated = pdf.slice(0, pdf.indexOf('xref\n')).replace('/Type/Page/', `/Type/Page/Annots ${annotations}/`);
  return Buffer.from(`${annotated}${others}\ntrailer\n<</Root 1 0 R/Info 4 0 R>>\n`, 'latin1');
}

const typed = '[<</Type/Annot/Subtype/Widget/FT/Tx/T(f1)/TU(Name)/V(Joan of the quay)/Rect[72 600 200 620]>>]';

test('what was typed into a page stands below its text, and is left to OCR where that reads the page', async () => {
  const pageOf = async (page: PageContent) => (await parse(annotatedPdf(page, typed))).pages[0];
  expect(await pageOf(harbour)).toMatchObject({
    text: 'A page that tells of the harbour.\n\nName: Joan of the quay',
    needsOcr: false,
  });
  expect(await pageOf(pageOfLines(['7']))).toMatchObject({ text: '7', needsOcr: true });
});

test('annotations that cannot be read cost a page nothing else', async () => {
  const { pages } = await parse(annotatedPdf(harbour, '9 0 R', `9 0 obj\n${'['.repeat(20_000)}\nendobj`));
  expect(pages).toMatchObject([{ text: 'A page that tells of the harbour.', needsOcr: false }]);
});

test('metadata that cannot be read cost a document its title and nothing else', async () => {
  const pdf = makePdf([harbour], '/Title(Report)/Odd 9 0 R').toString('latin1');
  // Arrays without end, in an object that only the metadata name.
  const odd = `9 0 obj\n${'['.repeat(20_000)}\nendobj\ntrailer\n<</Root 1 0 R/Info 4 0 R>>\n`;
  const { title, pages } = await parse(Buffer.from(pdf.slice(0, pdf.indexOf('xref\n')) + odd, 'latin1'));
  expect(title).toBeUndefined();
  expect(pages[0]!.text).toBe('A page that tells of the harbour.');
});

test('a page of more pieces of text than the engine can take is refused, not left out', async () => {
  // One array of strings that jump to and fro, so that none joins the one before.
  const content = `BT /F1 12 Tf 72 720 Td [${'(a)-9999(b)11111'.repeat(70_000)}] TJ ET`;
  const pdf = makePdf([harbour]).toString('latin1');
  const stream = pdf.replace(
    /\/Length \d+>>stream\n[\s\S]*?\nendstream/,
    `/Length ${content.length}>>stream\n${content}\nendstream`,
  );
  await expect(parse(Buffer.from(stream, 'latin1'))).rejects.toThrow(RangeError);
});
