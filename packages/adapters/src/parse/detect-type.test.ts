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
    expect(decodeText(bytes, 'windows-1252')).toBe(new TextDecoder().decode(bytes));
  }
  expect(recognised).toBeGreaterThan(200);
});
