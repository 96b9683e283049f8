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
  ['2024. It was late.', '2024. It was late.'],
  ['__Bold__, _soft_ and ~~gone~~; **half', 'Bold, soft and gone; half'],
  ['これは**重要**です。', 'これは重要です。'],
  ['Set Logging__Level__Default and _id, 2**10 and n**2.', 'Set Logging__Level__Default and _id, 2**10 and n**2.'],
  ['Call `__init__(*args)` or ``a ? b : c``, not `half.', 'Call __init__(*args) or a ? b : c, not half.'],
  ['Run `cat log | grep x || true` or a | b.', 'Run cat log | grep x || true or a | b.'],
  ['| `a \\| b` | **one** |  |', 'a | b, one,'],
];

test.each(cases)('%j reads %j', (markdown, text) => {
  expect(plainText(markdown)).toBe(text);
});
