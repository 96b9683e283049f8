import { expect, test } from '@jest/globals';
import { withHeadingNames } from './heading-styles.ts';

const style = (id: string, name: string, more = '', type = 'paragraph') =>
  `<w:style w:type="${type}" w:customStyle="1" w:styleId="${id}"><w:name w:val="${name}"/>${more}</w:style>`;
const basedOn = (id: string) => `<w:basedOn w:val="${id}"/>`;
const outline = (level: number) => `<w:pPr><w:outlineLvl w:val="${level}"/></w:pPr>`;
const namesIn = (...styles: string[]) =>
  [...withHeadingNames(`<w:styles>${styles.join('')}</w:styles>`).matchAll(/<w:name w:val="([^"]*)"/g)].map(
    ([, name]) => name,
  );

test('styles based on a heading, and those with an outline level, are headings', () => {
  expect(
    namesIn(
      style('H2', 'heading 2'),
      style('Clause', 'Clause', basedOn('H2')),
      style('Part', 'Part of a clause', basedOn('Clause')),
      style('Kapitel', 'Kapitel', outline(0)),
      style('Kapitelende', 'Kapitelende', basedOn('Kapitel') + outline(3)),
    ),
  ).toEqual(['heading 2', 'heading 2', 'heading 2', 'heading 1', 'heading 4']);
});

test('other styles keep their names', () => {
  const others = [
    style('Body', 'Body'),
    style('Quote', 'Quote', basedOn('Body')),
    style('Contents', 'TOC heading', basedOn('H1') + outline(9)),
    style('Deep', 'Deep', outline(6)),
    style('Char', 'Clause char', outline(1), 'character'),
    style('Loop', 'Loop', basedOn('Loop')),
    style('Lost', 'Lost', basedOn('Nothing')),
    '<w:style w:type="paragraph" w:styleId="Nameless"></w:style>',
  ];
  const xml = `<w:styles>${style('H1', 'heading 1')}${others.join('')}</w:styles>`;
  expect(withHeadingNames(xml)).toBe(xml);
  expect(withHeadingNames('just text')).toBe('just text');
});
