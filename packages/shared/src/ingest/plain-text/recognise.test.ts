import { expect, test } from '@jest/globals';
import { isCalledPlainText, isPlainText, maxPlainTextBytes } from './recognise.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

test('sentences of any language are plain text, with a byte order mark too', () => {
  for (const text of [
    'The tide turns.',
    '\ufeffa note',
    '"Quoted", he said: 5 < 6.',
    'Ünïcode – größer\r\n\tals zuvor',
    '潮は 6 時',
  ]) {
    expect([text, isPlainText(bytesOf(text))]).toEqual([text, true]);
  }
});

test.each([
  ['nothing', new Uint8Array()],
  ['only white space', bytesOf(' \n\t ')],
  ['markup', bytesOf('<p>The tide turns.</p>')],
  ['markup behind white space and marks', bytesOf('\ufeff\n\n  "<html>')],
  ['an RTF file', bytesOf('{\\rtf1 The tide turns.}')],
  ['a PostScript file', bytesOf('%!PS-Adobe-3.0')],
  ['a PDF file behind a line of text', bytesOf('junk\n%PDF-1.7 and so on')],
  ['a control character', bytesOf('The tide\u0000 turns.')],
  ['another encoding', Uint8Array.from([0x47, 0x72, 0xfc, 0xdf, 0x65])],
  ['a long text', bytesOf('a'.repeat(maxPlainTextBytes + 1))],
])('%s is for the parsers to read', (_, bytes) => {
  expect(isPlainText(bytes)).toBe(false);
});

test('what is called anything else is not taken for plain text', () => {
  expect(isCalledPlainText(undefined, undefined)).toBe(true);
  expect(isCalledPlainText('text/plain; charset=utf-8', 'Notes.TXT')).toBe(true);
  for (const [declared, filename] of [
    ['text/markdown', 'a.txt'],
    ['text/html', undefined],
    ['application/pdf', undefined],
    [undefined, 'a.md'],
    ['text/plain', 'a.pdf'],
    [undefined, 'mail.eml'],
  ]) {
    expect([declared, filename, isCalledPlainText(declared, filename)]).toEqual([declared, filename, false]);
  }
});
