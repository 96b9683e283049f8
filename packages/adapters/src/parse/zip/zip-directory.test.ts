import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { replaceEntries } from './replace-entries.ts';
import { entrySignature, inflateEntry, readZipDirectory, type ZipEntry } from './zip-directory.ts';

const mebibyte = 2 ** 20;
const kind = 'DOCX';
const corrupt = expect.objectContaining({ code: 'corrupt_document' });
let docx: Buffer;

beforeAll(async () => {
  docx = await readFile(fileURLToPath(new URL('../../../testdata/parse/harbour.docx', import.meta.url)));
});

const outcomeOf = (act: () => unknown) => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};
const directoryOf = (bytes: Buffer, maxInflatedBytes = 1e9) =>
  outcomeOf(() => readZipDirectory(bytes, kind, maxInflatedBytes));

/** The archive with other bytes at a place that counts from its first directory entry or from its end record. */
function altered(from: 'entry' | 'end', at: number, write: (bytes: Buffer, at: number) => void): Buffer {
  const bytes = Buffer.from(docx);
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(entrySignature);
  write(bytes, (from === 'end' ? bytes.length - 22 : bytes.indexOf(signature)) + at);
  return bytes;
}

test('the members of an archive are told, and inflated to what was packed', () => {
  const entries = readZipDirectory(docx, kind, 1e9);
  const document = entries.find(({ name }) => name === 'word/document.xml')!;
  expect(inflateEntry(docx, document, kind).toString()).toContain('Harbour plan');
});

test('a member that is not packed is taken as it stands', () => {
  const entries = readZipDirectory(docx, kind, 1e9);
  const stored = replaceEntries(docx, entries, new Map([['word/document.xml', Buffer.from('plain')]]), kind);
  const document = readZipDirectory(stored, kind, 1e9).find(({ name }) => name === 'word/document.xml')!;
  expect(inflateEntry(stored, document, kind).toString()).toBe('plain');
});

test('an archive that would be too large is refused before anything is inflated', () => {
  const message = (part: string) =>
    expect.objectContaining({ code: 'limits_exceeded', message: expect.stringContaining(part) });
  expect(directoryOf(docx, 1000)).toEqual(message('when unpacked'));
  expect(directoryOf(altered('end', 10, (bytes, at) => bytes.writeUInt16LE(10_001, at)))).toEqual(
    message('10001 parts'),
  );
  const dense = altered('entry', 24, (bytes, at) => bytes.writeUInt32LE(11 * mebibyte, at));
  expect(directoryOf(dense)).toEqual(message('packed so densely'));
});

test('a large member that is packed as text is, or not at all, is no bomb', () => {
  const sized = (packed: number) =>
    altered('entry', 20, (bytes, at) => {
      bytes.writeUInt32LE(packed, at);
      bytes.writeUInt32LE(11 * mebibyte, at + 4);
    });
  expect(directoryOf(sized(mebibyte))).toEqual(expect.arrayContaining([expect.objectContaining({ packed: mebibyte })]));
});

test('an archive whose end or whose directory is not there is damaged', () => {
  expect(directoryOf(docx.subarray(0, -30))).toEqual(corrupt);
  expect(directoryOf(Buffer.from('PK'))).toEqual(corrupt);
  expect(directoryOf(altered('entry', 0, (bytes, at) => bytes.writeUInt32LE(0, at)))).toEqual(corrupt);
  expect(directoryOf(altered('end', 16, (bytes, at) => bytes.writeUInt32LE(bytes.length, at)))).toEqual(corrupt);
});

test('an archive is found before a comment', () => {
  const commented = altered('end', 20, (bytes, at) => bytes.writeUInt16LE(5, at));
  expect(directoryOf(Buffer.concat([commented, Buffer.from('hello')]))).toEqual(readZipDirectory(docx, kind, 1e9));
});

test('a member that is not where the directory says, or not packed as it says, is damaged', () => {
  const [entry] = readZipDirectory(docx, kind, 1e9) as [ZipEntry];
  const inflated = (change: Partial<ZipEntry>) => outcomeOf(() => inflateEntry(docx, { ...entry, ...change }, kind));
  expect(inflated({ offset: docx.length })).toEqual(corrupt);
  expect(inflated({ offset: entry.offset + 1 })).toEqual(corrupt);
  // LZMA, which no office program uses.
  expect(inflated({ method: 14 })).toEqual(corrupt);
  expect(inflated({ packed: entry.packed - 5 })).toEqual(corrupt);
  // Larger than the directory said: the way around the limits.
  expect(inflated({ inflated: entry.inflated - 1 })).toEqual(corrupt);
  expect(inflated({ inflated: 0 })).toEqual(corrupt);
});
