import { expect, test } from '@jest/globals';
import iconv from 'iconv-lite';
import { charsetOf, decodeText as decode, encodingOfNuls } from './charset.ts';

const decodeText = (bytes: Uint8Array, declared?: string) => decode(bytes, declared).text;

const german = 'Grüße aus Köln, sagte der Wärter.';
const korean = '등대지기는 매일 밤 배를 센다. 그는 긴 회색 책에 배의 이름을 적는다. '.repeat(10);
const japanese = '灯台守は毎晩船を数えます。';

test.each(['utf-8', 'utf-16le', 'utf-16be', 'utf-32le', 'utf-32be'])('a byte order mark of %s decides', (encoding) => {
  const bytes = iconv.encode(german, encoding, { addBOM: true });
  expect(decodeText(bytes, 'windows-1252')).toBe(german);
});

test.each(['utf-16le', 'utf-16be', 'utf-32le', 'utf-32be'])(
  '%s is told by its NULs where it has no mark',
  (encoding) => {
    const bytes = iconv.encode(german, encoding, { addBOM: false });
    expect(encodingOfNuls(bytes)).toBe(encoding);
    expect(decodeText(bytes)).toBe(german);
    expect(decodeText(bytes, encoding)).toBe(german);
  },
);

test('a declared encoding decides where the bytes are no UTF-8', () => {
  expect(decodeText(iconv.encode(japanese, 'shift_jis'), 'shift_jis')).toBe(japanese);
});

test.each([
  ['iso-8859-1', 'windows-1252', '“Grüße” – 100 €'],
  ['ISO-8859-9', 'windows-1254', '“Işık” – 100 €'],
  ['ks_c_5601-1987', 'cp949', '등대지기는 펲시'],
  ['cp437', 'cp437', 'Grüße aus Köln'],
])('%s means %s', (declared, encoding, text) => {
  expect(decodeText(iconv.encode(text, encoding), declared)).toBe(text);
});

test('a declaration that was true once, before the text was saved as UTF-8, does not count', () => {
  const bytes = Buffer.from(german);
  expect(decodeText(bytes, 'windows-1252')).toBe(german);
  expect(decodeText(bytes, 'utf-16le')).toBe(german);
});

test('a declared encoding that nobody knows is as none', () => {
  expect(decodeText(Buffer.from(german), 'utf-4711')).toBe(german);
  expect(decodeText(iconv.encode(german, 'windows-1252'), 'utf-4711')).toBe(german);
});

test('Japanese between escapes is read where it is declared, and left alone elsewhere', () => {
  const escaped = Buffer.from('Yokohama \u001b$B9A\u001b(B, 1859', 'latin1');
  expect(decodeText(escaped, 'ISO-2022-JP')).toBe('Yokohama 港, 1859');
  for (const declared of [undefined, 'utf-8', 'windows-1252']) {
    expect(decodeText(escaped, declared)).toBe('Yokohama \u001b$B9A\u001b(B, 1859');
  }
  expect(decodeText(Buffer.from(german), 'iso-2022-jp')).toBe(german);
});

test('of what is not declared a sure guess is taken', () => {
  expect(decodeText(iconv.encode(korean, 'euc-kr'))).toBe(korean);
});

test('without a sure guess, or one that nobody can decode, it is windows-1252', () => {
  expect(decodeText(iconv.encode('café – crème', 'windows-1252'))).toBe('café – crème');
  // The guesser knows it for the mark of a picture, and names no encoding.
  expect(decodeText(Buffer.from('GIF89a \xe9', 'latin1'))).toBe('GIF89a é');
  // Simplified Chinese between tildes and braces, which iconv-lite does not decode.
  const hz = '~{VPND~} ';
  expect(decodeText(Buffer.from(`${hz.repeat(10)}\xe9`, 'latin1'))).toBe(`${hz.repeat(10)}é`);
});

test('the charset of a media type is found however it is written', () => {
  expect(charsetOf('text/plain; charset=shift_jis')).toBe('shift_jis');
  expect(charsetOf('text/html;Charset = "ISO-8859-1"')).toBe('ISO-8859-1');
  expect([charsetOf('text/plain'), charsetOf(undefined)]).toEqual([undefined, undefined]);
});
