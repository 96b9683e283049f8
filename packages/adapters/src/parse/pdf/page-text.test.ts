import { expect, test } from '@jest/globals';
import type { TextLine } from './page-lines.ts';
import { FontSizes, toMarkdown } from './page-text.ts';

interface Given extends Partial<TextLine> {
  readonly text: string;
}

/** Lines of a column of 300 pt, each as far below the one before as single spacing has it where nothing else is said. */
function markdownOf(given: readonly Given[], bodySize = 10): string {
  let across = 0;
  const lines = given.map((line): TextLine => {
    across = line.across ?? across + 12;
    return { fontSize: 10, start: 0, end: 300, angle: 0, hasCells: false, ...line, across };
  });
  return toMarkdown(lines, bodySize);
}

test('the size of most of the text is that of running text', () => {
  const line = (fontSize: number, text: string): TextLine => ({
    ...{ text, fontSize, start: 0, end: 100, across: 0, angle: 0, hasCells: false },
  });
  const sizes = new FontSizes();
  expect(sizes.body()).toBe(0);
  sizes.add([line(18, 'Tides'), line(10.1, 'They come and go, and come again.'), line(7, 'A note')]);
  expect(sizes.body()).toBe(10);
});

test('a heading is the deeper the less it stands out', () => {
  const heading = (text: string, fontSize: number, across: number) => ({ text, fontSize, across });
  expect(
    markdownOf([
      heading('Tides', 20, 20),
      heading('Of the north', 15, 60),
      heading('In spring', 12, 100),
      heading('They come and go.', 11, 140),
      heading('12 – 40', 20, 400),
    ]),
  ).toBe('# Tides\n\n## Of the north\n\n### In spring\n\nThey come and go.\n\n12 – 40');
});

test('print of no size to speak of has no headings', () => {
  expect(markdownOf([{ text: 'Tides', fontSize: 20 }], 0)).toBe('Tides');
  expect(markdownOf([{ text: 'A long line. '.repeat(20), fontSize: 20 }])).not.toContain('#');
});

test('a heading of two lines is one heading, two headings apart are two', () => {
  const large = (text: string, across: number) => ({ text, fontSize: 20, across });
  expect(markdownOf([large('Tides of', 20), large('the north', 44)])).toBe('# Tides of the north');
  expect(markdownOf([large('Tides of', 20), large('the north', 50)])).toBe('# Tides of the north');
  // Further apart than lines of headings are here, by a little and by more.
  const usual = [large('Tides of', 20), large('the north', 44)];
  expect(markdownOf([...usual, large('in spring', 75.5)])).toBe('# Tides of the north in spring');
  expect(markdownOf([...usual, large('Moons', 84)])).toBe('# Tides of the north\n\n# Moons');
  expect(markdownOf([large('Tides', 20), large('Moons', 60), large('of Mars', 84)])).toBe('# Tides\n\n# Moons of Mars');
  // Of lines set tight.
  expect(markdownOf([large('Tides of', 20), large('the north', 40)])).toBe('# Tides of the north');
});

test('text that is turned is a paragraph of its own', () => {
  expect(markdownOf([{ text: 'They come' }, { text: 'and go', angle: 90 }])).toBe('They come\n\nand go');
});

test('a wider gap than usual begins a paragraph', () => {
  const lines = [{ text: 'They come' }, { text: 'and they' }, { text: 'go.' }, { text: 'The moon', across: 60 }];
  expect(markdownOf(lines)).toBe('They come and they go.\n\nThe moon');
});

test('small print is measured by its own gaps, print that stands alone by those of the page', () => {
  const small = (text: string, across: number) => ({ text, fontSize: 6, across });
  expect(
    markdownOf([
      { text: 'They come' },
      { text: 'and they' },
      { text: 'go.' },
      small('One note', 60),
      small('goes on', 67),
      small('and on.', 74),
      { text: 'and the end', across: 86, fontSize: 9 },
    ]),
  ).toBe('They come and they go.\n\nOne note goes on and on. and the end');
});

test('at the top of the next column a sentence under way goes on, a new one begins a paragraph', () => {
  expect(
    markdownOf([
      { text: 'They come and', across: 700 },
      { text: 'go.', across: 20 },
    ]),
  ).toBe('They come and go.');
  expect(
    markdownOf([
      { text: 'They come.', across: 700 },
      { text: 'go.', across: 20 },
    ]),
  ).toBe('They come.\n\ngo.');
  expect(
    markdownOf([
      { text: 'They come and', across: 700 },
      { text: 'Go.', across: 20 },
    ]),
  ).toBe('They come and\n\nGo.');
  const title = (across: number, text: string) => ({ text, across, fontSize: 20 });
  expect(markdownOf([title(700, 'tides and'), title(20, 'moons')])).toBe('# tides and\n\n# moons');
});

test('list items, numbered or not, and rows of cells stay on lines of their own', () => {
  expect(markdownOf([{ text: 'Stores:' }, { text: '• bread' }, { text: '2. salt' }, { text: '(c) rope' }])).toBe(
    'Stores:\n- bread\n2. salt\n(c) rope',
  );
  const row = (text: string) => ({ text, hasCells: true });
  expect(markdownOf([row('Berth Depth'), row('North 7.5 m'), { text: 'as measured' }])).toBe(
    'Berth Depth\nNorth 7.5 m\nas measured',
  );
});

test('a line that ended early ended by intention, the last of a sentence sooner than another', () => {
  expect(
    markdownOf([{ text: 'To the harbour master', end: 150 }, { text: 'of the northern pier and its stores' }]),
  ).toBe('To the harbour master\nof the northern pier and its stores');
  const full = { text: 'a line of the full width that the column has' };
  expect(markdownOf([full, { text: 'They come and they go.', end: 250 }, full])).toBe(
    `${full.text} They come and they go.\n${full.text}`,
  );
  expect(markdownOf([full, { text: 'They come and they go', end: 250 }, full])).toBe(
    `${full.text} They come and they go ${full.text}`,
  );
});

test('between lines of Chinese or Japanese there is no space, between them and others there is', () => {
  const lines = [{ text: '潮の満ち引き' }, { text: 'の表です。' }, { text: 'Tides' }, { text: '潮' }];
  expect(markdownOf(lines)).toBe('潮の満ち引きの表です。 Tides 潮');
});

test('a word broken at a hyphen is made whole, a range and a compound of capitals keep theirs', () => {
  expect(markdownOf([{ text: 'the con-' }, { text: 'tractor came' }])).toBe('the contractor came');
  expect(markdownOf([{ text: 'the Anglo-' }, { text: 'Norman isles' }])).toBe('the Anglo-Norman isles');
  expect(markdownOf([{ text: 'pages 12-' }, { text: '40 of it' }])).toBe('pages 12-40 of it');
  expect(markdownOf([{ text: 'north/' }, { text: 'south' }])).toBe('north/south');
});
