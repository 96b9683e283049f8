import { expect, test } from '@jest/globals';
import { plainText } from './plain-text.ts';

const cases: [markdown: string, text: string][] = [
  ['## Opening hours', 'Opening hours'],
  ['- [x] **Bold** and *italic* and `code`', 'Bold and italic and code'],
  ['3. Third item', 'Third item'],
  ['> quoted', 'quoted'],
  ['See [the manual](https://example.org/a) now ![logo](logo.png).', 'See the manual now.'],
  ['| Name | Age |', 'Name, Age'],
  ['Paris is the capital[12] of France [3, 4].', 'Paris is the capital of France.'],
  ['two\nlines  with   gaps', 'two lines with gaps'],
  ['snake_case stays, 2 * 3 stays', 'snake_case stays, 2 * 3 stays'],
  ['The year was 1999. Then', 'The year was 1999. Then'],
];

test.each(cases)('%j reads %j', (markdown, text) => {
  expect(plainText(markdown)).toBe(text);
});
