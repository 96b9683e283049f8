import { expect, test } from '@jest/globals';
import { htmlToMarkdown } from './html-to-markdown.ts';

const markdown = (html: string) => htmlToMarkdown(html, { mainContentOnly: true });
const table = (...rows: string[][]) =>
  `<table>${rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</table>`;

test('a table has its first row as header, its caption above, and one line for each row', () => {
  const html = `<table><caption>Depths <i>today</i></caption><thead><tr><th><h3>Berth</h3></th><th>Depth</th></tr></thead>
    <tbody><tr><td>1</td><td>4 m</td></tr></tbody><tfoot><tr><td>all</td><td>9 m</td></tr></tfoot></table>`;
  expect(markdown(html)).toBe('Depths today\n\n| Berth | Depth |\n| --- | --- |\n| 1 | 4 m |\n| all | 9 m |');
});

test('paragraphs, lists and lines of a cell stand in its line, as words alone', () => {
  const cells = ['<p>Pump</p><p>A || B</p>', '<ul><li>blue</li><li><a href="#x">red</a></li></ul>one<br>two'];
  expect(markdown(table(['Item', 'Notes'], cells))).toBe(
    '| Item | Notes |\n| --- | --- |\n| Pump A \\|\\| B | - blue - red one two |',
  );
});

test('what nobody sees is left out of a table too', () => {
  const html = `<table><tr><td>Day</td><td>Tide<script>var a;</script></td></tr><tr hidden><td>old</td><td>1</td></tr>
    <tr><td><span hidden>x</span></td><td></td></tr>
    <tr><td>Monday</td><td>high<span style="display:none">low</span></td></tr></table>`;
  expect(markdown(html)).toBe('| Day | Tide |\n| --- | --- |\n| Monday | high |');
});

test('a cell that spans rows or columns stands in the first of them, and moves the others to their own', () => {
  const html = `<table><tr><td colspan="2">Place</td><td>Depth</td></tr><tr><td rowspan="2">North</td><td>1</td><td>4 m</td></tr>
    <tr><td>2</td><td>5 m</td></tr><tr><td colspan="99999999">South is closed</td></tr></table>`;
  expect(markdown(html)).toBe(
    '| Place |  | Depth |\n| --- | --- | --- |\n| North | 1 | 4 m |\n|  | 2 | 5 m |\n| South is closed |',
  );
});

test('a header shorter than its rows is filled up', () => {
  expect(markdown(table(['Day'], ['1', '4 m']))).toBe('| Day |  |\n| --- | --- |\n| 1 | 4 m |');
});

test.each([
  [
    'around another table',
    table(['Left', table(['a', 'b'], ['c', 'd'])], ['x', 'y']),
    'Left\n\n| a | b |\n| --- | --- |\n| c | d |\n\nx\n\ny',
  ],
  ['with headings', table(['Menu', '<h2>Tides</h2>High.'], ['x', 'y']), 'Menu\n\n## Tides\n\nHigh.\n\nx\n\ny'],
  ['of a single row', table(['Left', 'right']), 'Left\n\nright'],
  ['of a single column', table(['Left'], ['right']), 'Left\n\nright'],
  ['of nothing', table(['', '']), ''],
])('a table %s is told cell by cell', (_, html, expected) => {
  expect(markdown(html)).toBe(expected);
});

test('a long table takes as long as it is', () => {
  const rows = Array.from({ length: 1500 }, (_, row) => Array.from({ length: 8 }, (__, column) => `${row}.${column}`));
  expect(markdown(table(...rows)).split('\n')).toHaveLength(1501);
});
