import { expect, test } from '@jest/globals';
import { plainExtraction } from './plain-extraction.ts';

test('the text of a document without pages is one page', () => {
  expect(plainExtraction('text/plain', 'Spring\r\ntides.')).toEqual({
    schemaVersion: 1,
    mediaType: 'text/plain',
    paged: false,
    pages: [{ number: 1, text: 'Spring\ntides.', needsOcr: false }],
    warnings: [],
  });
});

test('a text of white space, and of marks that nobody sees, is an empty document', () => {
  for (const text of ['', ' \n\t', '\u200b\ufeff'])
    expect(() => plainExtraction('text/plain', text)).toThrow(
      expect.objectContaining({ code: 'empty_document', hint: 'Send a document that has content.' }),
    );
});

test.each([
  [' Tides\n of  the\tmoon ', { title: 'Tides of the moon' }],
  ['x'.repeat(600), { title: 'x'.repeat(500) }],
  [' \n ', {}],
  ['', {}],
])('a title stands in one line of at most 500 characters, and a blank one is none', (title, expected) => {
  const { title: found } = plainExtraction('text/html', 'Text.', title);
  expect(found === undefined ? {} : { title: found }).toEqual(expected);
});

test('the colours of a terminal leave nothing in the text', () => {
  const { pages } = plainExtraction('text/plain', '\u001b[1;31mhigh\u001b[0m tide\u001b[K, [31m and a lone \u001b.');
  expect(pages[0]?.text).toBe('high tide, [31m and a lone .');
});
