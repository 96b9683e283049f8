import { expect, test } from '@jest/globals';
import { withNumbers } from './numbers.ts';

const level = (index: number, text: string, format = 'decimal', more = '') =>
  `<w:lvl w:ilvl="${index}"><w:start w:val="1"/><w:numFmt w:val="${format}"/>${more}<w:lvlText w:val="${text}"/></w:lvl>`;
const kind = (id: number, ...levels: string[]) =>
  `<w:abstractNum w:abstractNumId="${id}">${levels.join('')}</w:abstractNum>`;
const list = (id: number, of: number, more = '') =>
  `<w:num w:numId="${id}"><w:abstractNumId w:val="${of}"/>${more}</w:num>`;
const numbered = (text: string, id: number, at?: number, style?: string) =>
  `<w:p w:rsidR="1"><w:pPr>${style ? `<w:pStyle w:val="${style}"/>` : ''}<w:numPr>${at === undefined ? '' : `<w:ilvl w:val="${at}"/>`}<w:numId w:val="${id}"/></w:numPr></w:pPr><w:r><w:t>${text}</w:t></w:r></w:p>`;
const styled = (text: string, style: string) =>
  `<w:p><w:pPr><w:pStyle w:val="${style}"/></w:pPr><w:r><w:t>${text}</w:t></w:r></w:p>`;
const style = (id: string, properties: string) => `<w:style w:styleId="${id}">${properties}</w:style>`;

/** The text of each paragraph. */
function texts(paragraphs: string[], numberings: string[], styles: string[] = []): string[] {
  const { xml } = withNumbers(
    paragraphs.join(''),
    styles.join(''),
    `<w:numbering>${numberings.join('')}</w:numbering>`,
  );
  return xml
    .split('</w:p>')
    .slice(0, -1)
    .map((part) => part.replace(/<[^>]*>/g, ''));
}

const clauses = kind(
  0,
  level(0, '%1.'),
  level(1, '%1.%2'),
  level(2, '(%3)', 'lowerLetter'),
  level(3, 'x', 'bullet'),
  level(4, '', 'none'),
);

test('clauses are counted through interruptions, each level anew below the one above', () => {
  const paragraphs = [
    numbered('Berths', 1, 0),
    numbered('North', 1, 1),
    numbered('South', 1, 1),
    '<w:p><w:r><w:t>Between</w:t></w:r></w:p>',
    numbered('Dues', 1),
    numbered('Ships', 1, 1),
    numbered('Small', 1, 2),
    numbered('a point', 1, 3),
    numbered('nothing', 1, 4),
    numbered('no such level', 1, 7),
    numbered('no number', 0, 0),
  ];
  expect(texts(paragraphs, [clauses, list(1, 0)])).toEqual([
    '1. Berths',
    '1.1 North',
    '1.2 South',
    'Between',
    '2. Dues',
    '2.1 Ships',
    '(a) Small',
    '- a point',
    'nothing',
    'no such level',
    'no number',
  ]);
});

test('headings are numbered by their style, or by one that it is based on', () => {
  const headings = kind(
    0,
    level(0, 'Part %1', 'upperRoman', '<w:pStyle w:val="H1"/>'),
    level(1, '%1.%2', 'decimal', '<w:pStyle w:val="H2"/><w:isLgl/>'),
  );
  const styles = [
    style('H1', '<w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'),
    style('H2', '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'),
    style('Own', '<w:basedOn w:val="H1"/>'),
    style('Body', ''),
  ];
  const paragraphs = ['H1', 'H2', 'Own', 'H2', 'Body', 'Unknown'].map((id) => styled(id, id));
  expect(texts(paragraphs, [headings, list(1, 0)], styles)).toEqual([
    'Part I H1',
    '1.1 H2',
    'Part II Own',
    '2.1 H2',
    'Body',
    'Unknown',
  ]);
});

test('a list may begin at another number, and a level below one that was not counted', () => {
  const override =
    '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride><w:lvlOverride w:ilvl="1"></w:lvlOverride>';
  const paragraphs = [numbered('a', 1, 1), numbered('b', 2, 0), numbered('c', 2, 0)];
  expect(texts(paragraphs, [clauses, list(1, 0), list(2, 0, override)])).toEqual(['1.1 a', '7. b', '8. c']);
});

test('what was changed and how it was before are told apart', () => {
  const changed =
    '<w:p><w:pPr><w:pPrChange w:id="1"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:pPrChange></w:pPr><w:r><w:t>x</w:t></w:r></w:p>';
  const now = changed.replace('<w:pPrChange', '<w:numPr><w:numId w:val="1"/></w:numPr><w:pPrChange');
  expect(texts([changed, now], [clauses, list(1, 0)])).toEqual(['x', '1. x']);
});

test.each([
  ['decimalZero', '01 02'],
  ['lowerRoman', 'i ii'],
  ['upperLetter', 'A B'],
  ['chineseCounting', '1 2'],
])('numbers are written as %s', (format, expected) => {
  const paragraphs = [numbered('x', 1, 0), numbered('x', 1, 0)];
  const found = texts(paragraphs, [kind(0, level(0, '%1', format), level(1, '%1%2')), list(1, 0)]);
  expect(found.map((text) => text.split(' ')[0]).join(' ')).toBe(expected);
});

test('letters are repeated after z, and numbers too large for a form are decimal', () => {
  const at = (start: number, format: string) =>
    texts(
      [numbered('x', 1, 0)],
      [kind(0, level(0, '%1', format).replace('"1"/', `"${start}"/`), level(1, '%1%2%9')), list(1, 0)],
    )[0];
  expect([at(28, 'lowerLetter'), at(494, 'lowerRoman'), at(9999, 'upperRoman'), at(0, 'lowerLetter')]).toEqual([
    'bb x',
    'cdxciv x',
    '9999 x',
    '0 x',
  ]);
  expect(texts([numbered('x', 1, 1)], [kind(0, level(1, '%1.%2.%9')), list(1, 0)])).toEqual(['1.1.1 x']);
});

test('plain lists are left as they are, and the others are taken out', () => {
  const plain = kind(5, level(0, '%1.', 'decimal', '<w:pStyle w:val="ListNumber"/>'), level(1, '%2)'));
  const xml = numbered('one', 1, 0) + numbered('two', 2, 0);
  const rest = `<w:numbering>${plain}${list(1, 5)}${list(2, 0)}${list(3, 9)}</w:numbering>`;
  const found = withNumbers(xml, '', rest.replace(plain, plain + clauses));
  expect(found).toEqual({
    xml:
      numbered('one', 1, 0) +
      numbered('two', 2, 0).replace('<w:r>', '<w:r><w:t xml:space="preserve">1. </w:t></w:r><w:r>'),
    numberings: rest,
  });
});

test('what a numbering leaves out is as usual', () => {
  const bare =
    '<w:abstractNum w:x=""><w:lvl w:ilvl="0"><w:pStyle w:val="H"/></w:lvl><w:lvl w:ilvl="1"><w:lvlText w:val="%1.%2"/></w:lvl></w:abstractNum>';
  expect(
    texts([numbered('x', 1, 0), numbered('y', 1, 1)], [bare, '<w:num w:numId="1"></w:num><w:num w:x=""></w:num>']),
  ).toEqual(['x', '1.1 y']);
});
