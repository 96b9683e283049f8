import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Extraction } from '@semantic-memory/shared/contracts/model/extraction';
import type { ParseLimits, Parser } from '@semantic-memory/shared/ports/parser';
import sharp from 'sharp';
import { createChildParser } from './parser.ts';
import { makePdf, pageOfLines } from './testing/make-pdf.ts';
import { replaceEntries } from './zip/replace-entries.ts';
import { readZipDirectory } from './zip/zip-directory.ts';

/* Files that were made to hurt. Each ends with a typed error or with its text, never as a blank success. */

// Children start slowly on a busy machine.
jest.setTimeout(60_000);

const limits: ParseLimits = { maxBytes: 1e8, maxPages: 500, maxInflatedBytes: 2e7, maxImagePixels: 1e8 };
let directory: string;
let parser: Parser;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hostile-documents-'));
  parser = createChildParser({ processes: 1 });
});
afterAll(async () => {
  await parser.close();
  await rm(directory, { recursive: true, force: true });
});

async function parse(filename: string, content: string | Uint8Array): Promise<Extraction> {
  const path = join(directory, filename);
  await writeFile(path, content);
  return parser.parse({ tenant: 'test', path, filename, limits }, new AbortController().signal);
}

const textOf = (extraction: Extraction) => extraction.pages.map(({ text }) => text).join('\n\n');

/** A PDF of one page with something else in the place of a part of the same length. */
function alteredPdf(part: string, instead: string): Buffer {
  const pdf = makePdf([pageOfLines(['A page that tells of the harbour.'])]).toString('latin1');
  if (!pdf.includes(part)) throw new Error(`the PDF has no ${part}`);
  return Buffer.from(pdf.replace(part, instead.padEnd(part.length)), 'latin1');
}

test.each([
  ['says that it has 100,000 pages', () => alteredPdf('/Count 1/Kids[5 0 R]', '/Count 100000/Kids[5 0 R]')],
  ['has itself for its only page', () => alteredPdf('/Count 1/Kids[5 0 R]', '/Count 1/Kids[2 0 R]')],
  ['has itself for its first of many pages', () => alteredPdf('/Count 1/Kids[5 0 R]', '/Count 9/Kids[2 0 R]')],
  ['nests arrays without end', () => alteredPdf('/Kids[5 0 R]', `/Kids${'['.repeat(300_000)}`)],
  ['is cut off in the middle', () => makePdf([pageOfLines(['The harbour.'])]).subarray(0, 300)],
])('a PDF that %s ends with a reason, or with its text', async (_, pdf) => {
  const outcome = await parse('hostile.pdf', pdf()).then(textOf, (error: { code: string }) => error.code);
  expect(['corrupt_document', 'too_many_pages', 'limits_exceeded', 'A page that tells of the harbour.']).toContain(
    outcome,
  );
  expect(textOf(await parse('after.md', 'still here'))).toBe('still here');
});

/** A DOCX whose text is this XML, and whose relations are these where they are given. */
async function docxWith(document: string, relations?: string): Promise<Buffer> {
  const bytes = await readFile(fileURLToPath(new URL('../../testdata/parse/harbour.docx', import.meta.url)));
  const entries = readZipDirectory(bytes, 'DOCX', 1e8);
  const replaced = new Map([['word/document.xml', Buffer.from(document)]]);
  if (relations) replaced.set('word/_rels/document.xml.rels', Buffer.from(relations));
  return replaceEntries(bytes, entries, replaced, 'DOCX');
}

const wordNamespaces =
  'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" ' +
  'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" ' +
  'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"';
const documentOf = (body: string, declarations = '') =>
  `<?xml version="1.0"?>${declarations}<w:document ${wordNamespaces}><w:body>${body}</w:body></w:document>`;
const paragraph = (text: string) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`;

test('entities of a DOCX are not expanded, neither those without end nor those that name a file', async () => {
  const secret = join(directory, 'secret.txt');
  await writeFile(secret, 'canary-4711');
  const laughs = Array.from({ length: 12 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`).join(
    '',
  );
  const declarations = `<!DOCTYPE d [<!ENTITY l0 "ha">${laughs}<!ENTITY file SYSTEM "file://${secret}">]>`;
  for (const entity of ['l12', 'file']) {
    const docx = await docxWith(documentOf(paragraph(`before &${entity}; after`), declarations));
    const outcome = await parse('entities.docx', docx).then(textOf, (error: { code: string }) => error.code);
    expect(outcome).not.toContain('canary');
    expect(outcome.length).toBeLessThan(200);
  }
  expect(textOf(await parse('after.md', 'still here'))).toBe('still here');
});

test('a file that a DOCX links to is not read', async () => {
  const secret = join(directory, 'linked.png');
  await writeFile(secret, 'canary-4711');
  const relations =
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' +
    '<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" ' +
    `Target="file://${secret}" TargetMode="External"/></Relationships>`;
  const picture = '<w:p><w:r><w:drawing><a:blip r:link="rId99"/></w:drawing></w:r></w:p>';
  const docx = await docxWith(documentOf(paragraph('Beside a picture.') + picture), relations);
  const outcome = await parse('linked.docx', docx).then(JSON.stringify, (error: { code: string }) => error.code);
  expect(outcome).not.toContain('canary');
  expect(outcome).toMatch(/Beside a picture|corrupt_document/);
});

test('a picture of 30,000 × 30,000 pixels is refused from its header, a TIFF of 1,000 pages from its count', async () => {
  // Only the header says so: https://www.w3.org/TR/png-3/#11IHDR
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'white' } })
    .png()
    .toBuffer();
  png.writeUInt32BE(30_000, 16);
  png.writeUInt32BE(30_000, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  await expect(parse('huge.png', png)).rejects.toMatchObject({ code: 'limits_exceeded' });
  const frames = { width: 8, height: 8_000, pageHeight: 8, channels: 3, background: 'white' } as never;
  const tiff = await sharp({ create: frames }).tiff().toBuffer();
  await expect(parse('long.tiff', tiff)).rejects.toMatchObject({ code: 'too_many_pages' });
});

test('one line of 10 MB, with NULs, lone surrogates, and marks that show nothing, is read whole', async () => {
  const odd = 'li\u200bght\u0000house \ud800 \u202eright\u202c ';
  const line = odd.repeat(Math.ceil(1e7 / Buffer.byteLength(odd)));
  const text = textOf(await parse('line.txt', line));
  expect(text.startsWith('lighthouse \ufffd right lighthouse')).toBe(true);
  expect(text.match(/lighthouse/g)?.length).toBe(line.length / odd.length);
  expect(text).not.toContain('\n');
});
