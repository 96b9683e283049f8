import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isPlainText } from '@semantic-memory/shared/ingest/plain-text/recognise';
import { seededRandom } from '@semantic-memory/shared/testing/seeded-random';
import { detectType } from './detect-type.ts';
import { decodeText } from './text/charset.ts';

let path: string;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'detect-type-test-'));
  path = join(directory, 'file');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Beginnings and parts of many formats, which mean something together, in order, or at the start only. */
const pieces = [
  ...[
    'The tide ',
    'free ',
    '\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\ufeff',
    '“',
    'ü',
    '潮',
    '> ',
    '- ',
    '#',
    '\u001b$B',
    '\0',
    '\f',
  ],
  ...['<', '<html', '<HTML>', '<!doctype html>', '<!-- x -->', '<?xml version="1.0"?>', '<svg ', '<body>', '<p>'],
  ...['%PDF-1.7', '%!PS', '{\\rtf1 ', 'PK\u0003\u0004', 'GIF89a', 'ID3', 'RIFF', 'ftyp', 'MZ', 'BM', 'OggS', '8BPS'],
  ...[
    'From: a@example.org\n',
    'BEGIN:VCARD',
    'BEGIN:VCALENDAR',
    'WEBVTT',
    'solid ',
    'MThd',
    '-----BEGIN PGP MESSAGE-----',
  ],
];

test('what is recognised as plain text when it is accepted is plain text to the parsers too, read alike', async () => {
  const random = seededRandom(11);
  let recognised = 0;
  for (let round = 0; round < 1500; round += 1) {
    const length = 1 + Math.floor(random() * 5);
    const text = Array.from({ length }, () => pieces[Math.floor(random() * pieces.length)]).join('');
    const bytes = new TextEncoder().encode(text);
    if (!isPlainText(bytes)) continue;
    recognised += 1;
    await writeFile(path, bytes);
    expect([text, await detectType(path, { filename: 'a.txt', declaredMediaType: 'text/plain' })]).toEqual([
      text,
      'text/plain',
    ]);
    expect(decodeText(bytes, 'windows-1252').text).toBe(new TextDecoder().decode(bytes));
  }
  expect(recognised).toBeGreaterThan(200);
});

async function typeOf(content: string | Uint8Array, filename?: string, declaredMediaType?: string): Promise<string> {
  await writeFile(path, content);
  return detectType(path, { filename, declaredMediaType });
}

const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const bigEndian = (text: string) => utf16(text).swap16();

test('a binary format is told by its bytes, whatever it is called', async () => {
  const gif = Buffer.from('GIF89a\x01\x00\x01\x00', 'latin1');
  expect(await typeOf(gif, 'a.txt', 'text/plain')).toBe('image/gif');
  expect(await typeOf('{\\rtf1 The tide.}', 'a.txt')).toBe('text/rtf');
  expect(await typeOf('%PDF-1.7\n', 'a.txt')).toBe('application/pdf');
  // Some programs write a line of their own before the mark.
  expect(await typeOf('Made by a printer.\n%PDF-1.4\n', 'a.txt')).toBe('application/pdf');
});

test('bytes that are neither a known format nor text are just that', async () => {
  expect(await typeOf(Buffer.from(Array.from({ length: 999 }, (_, at) => (at * at * 31) % 251)))).toBe(
    'application/octet-stream',
  );
});

test('text is text with and without a mark, in wide characters too, and with some escapes in it', async () => {
  expect(await typeOf(utf16('\ufeff潮の満ち引きの表'))).toBe('text/plain');
  expect(await typeOf(bigEndian('\ufeff潮の満ち引きの表'))).toBe('text/plain');
  expect(await typeOf(utf16('The tide.'))).toBe('text/plain');
  expect(await typeOf(`${'The tide. '.repeat(20)}\u0007\u001b[1mebb\u001b[0m`)).toBe('text/plain');
});

test.each([
  ['<?xml version="1.0"?>\n<svg width="1"></svg>', undefined, undefined, 'image/svg+xml'],
  ['<svg >inside</svg><html >', undefined, undefined, 'text/plain'],
  ['# Tides', 'a.md', undefined, 'text/markdown'],
  ['# Tides', 'a.MARKDOWN', undefined, 'text/markdown'],
  ['# Tides', undefined, 'text/markdown; charset=utf-8', 'text/markdown'],
  ['<p>Tides', undefined, 'text/html', 'text/html'],
  ['<p>Tides', undefined, 'Application/XHTML+XML', 'text/html'],
  ['<p>Tides', 'a.htm', undefined, 'text/html'],
  ['<p>Tides', undefined, undefined, 'text/plain'],
  ['\ufeff<!-- saved -->\n<!DOCTYPE html >', 'a.txt', undefined, 'text/html'],
  ['From: a@example.org\n\nTides', undefined, 'message/rfc822', 'message/rfc822'],
  ['From: a@example.org\n\nTides', 'a.eml', undefined, 'message/rfc822'],
  ['Tides', 'notes', undefined, 'text/plain'],
  ['Tides', 'a.log', 'application/octet-stream', 'text/plain'],
])('the text %j, called %s and declared as %s, is %s', async (text, filename, declared, type) => {
  expect(await typeOf(text, filename, declared)).toBe(type);
});

test('text that is called something else says what it was called', async () => {
  const corrupt = (what: string) => ({ code: 'corrupt_document', message: expect.stringContaining(what) });
  await expect(typeOf('Tides', 'a.docx')).rejects.toMatchObject(corrupt('.docx'));
  await expect(typeOf('Tides', 'a', 'application/pdf')).rejects.toMatchObject(corrupt('application/pdf'));
});

test('where the marks of formats cannot be looked for, text is still told from other bytes', async () => {
  const stumbling = () => Promise.reject(new RangeError('beyond the end'));
  const typeWithout = async (content: string | Uint8Array) => {
    await writeFile(path, content);
    return detectType(path, { filename: 'a.md' }, stumbling);
  };
  expect(await typeWithout('# Tides')).toBe('text/markdown');
  expect(await typeWithout('%PDF-1.7\n')).toBe('application/pdf');
  expect(await typeWithout(Buffer.from('89504e470d0a1a0a0102030405', 'hex'))).toBe('application/octet-stream');
});
