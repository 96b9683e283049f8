import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { largePdf, largePdfFact } from './large-pdf.ts';
import { annualReport } from './papers.ts';
import { encryptPdf } from './pdf-encryption.ts';
import { writePdf } from './pdf-writer.ts';
import { auditorsPage, pictures, scannedLetter } from './pictures.ts';
import { writeZip } from './zip-writer.ts';

const library = new URL('../../memory/data-repo/', import.meta.url);
const expected = JSON.parse(readFileSync(new URL('expected.json', library), 'utf8')) as {
  documents: { file: string; state: string; code?: string; groundTruth?: string }[];
  queries: { query: string; kind: string; documents: string[] }[];
};
const files = readdirSync(new URL('sample-docs/', library)).sort();

test('every document of the library has an expectation, and the other way round', () => {
  expect(expected.documents.map(({ file }) => file).sort()).toEqual(files);
  expect(files.length).toBeGreaterThanOrEqual(15);
});

test('the ground truth of pictures is what was drawn on them', () => {
  const truthOf = (file: string) => expected.documents.find((document) => document.file === file)?.groundTruth;
  for (const { file, sheet } of pictures) expect(truthOf(file)).toBe(sheet.paragraphs.join('\n\n'));
  expect(truthOf('permit-letter-scanned.pdf')).toBe(scannedLetter.flatMap((sheet) => sheet.paragraphs).join('\n\n'));
  const report = [
    annualReport.title,
    ...annualReport.first,
    ...auditorsPage.paragraphs,
    'Outlook',
    ...annualReport.last,
  ];
  expect(truthOf('annual-report-mixed.pdf')).toBe(report.join('\n\n'));
});

test('there are at least thirty queries of two kinds, each for documents that succeed, and each of these is asked for', () => {
  const succeeding = expected.documents.filter(({ state }) => state === 'succeeded').map(({ file }) => file);
  const asked = new Set(expected.queries.flatMap(({ documents }) => documents));
  expect([...asked].sort()).toEqual(succeeding.sort());
  expect(expected.queries.length).toBeGreaterThanOrEqual(30);
  expect(new Set(expected.queries.map(({ kind }) => kind))).toEqual(new Set(['keyword', 'paraphrase']));
});

test('the large PDF is the same every time and different on every page', () => {
  const small = largePdf(3);
  expect(small.equals(largePdf(3))).toBe(true);
  const text = small.toString('latin1');
  for (const page of [1, 2, 3]) expect(text.split(largePdfFact(page))).toHaveLength(2);
  expect(new Set(Array.from({ length: 2000 }, (_, index) => largePdfFact(index + 1))).size).toBe(2000);
});

test('a PDF finds each of its objects where its table says', () => {
  const pdf = writePdf([{ texts: [{ x: 10, y: 10, size: 10, text: 'One (two) \\' }] }]).toString('latin1');
  const start = Number(/startxref\n(\d+)/.exec(pdf)?.[1]);
  expect(pdf.slice(start, start + 4)).toBe('xref');
  const offsets = [...pdf.slice(start).matchAll(/^(\d{10}) 00000 n/gm)].map((match) => Number(match[1]));
  expect(offsets.length).toBeGreaterThan(5);
  for (const [index, offset] of offsets.entries()) {
    expect(pdf.slice(offset)).toMatch(new RegExp(`^${index + 1} 0 obj\n`));
  }
  expect(pdf).toContain('(One \\(two\\) \\\\) Tj');
});

test('an encrypted stream is as long as its content and gives it back under the same key', () => {
  const { encrypt } = encryptPdf('tern', Buffer.alloc(16, 7));
  const secret = encrypt(9, Buffer.from('content'));
  expect(secret.toString()).not.toBe('content');
  expect(encrypt(9, secret).toString()).toBe('content');
});

test('a zip archive ends with a directory of its files', () => {
  const zip = writeZip([
    { name: 'a.txt', data: 'aaa' },
    { name: 'b.txt', data: 'bbb' },
  ]);
  const end = zip.lastIndexOf('PK\u0005\u0006');
  expect(zip.readUInt16LE(end + 10)).toBe(2);
  const directory = zip.readUInt32LE(end + 16);
  expect(zip.toString('latin1', directory, directory + 4)).toBe('PK\u0001\u0002');
  expect(directory + zip.readUInt32LE(end + 12)).toBe(end);
});
