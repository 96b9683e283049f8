import { expect, test } from '@jest/globals';
import { type TextItem, toLines } from './page-lines.ts';
import { FontSizes, toMarkdown } from './page-text.ts';

function item(str: string, x: number, y: number, options: Partial<TextItem> & { size?: number } = {}): TextItem {
  const { size = 10, ...rest } = options;
  const width = str.length * size * 0.5;
  return { str, dir: 'ltr', width, height: size, transform: [size, 0, 0, size, x, y], hasEOL: false, ...rest };
}

const textsOf = (items: readonly TextItem[]) => toLines(items).map(({ text }) => text);

test('a line written from right to left is read from its right end, numbers in it from their left', () => {
  const rtl = { dir: 'rtl' };
  const items = [
    item('سلام', 100, 700, rtl),
    item(' ', 120, 700),
    item('12', 130, 700),
    item('.5', 140, 700),
    item(' ', 150, 700),
    item('عليكم', 160, 700, rtl),
  ];
  expect(textsOf(items)).toEqual(['عليكم 12.5 سلام']);
});

test('presentation forms become letters, other characters stay', () => {
  expect(textsOf([item('ﬁnal x² ﻟﻌ', 72, 700)])).toEqual(['final x² لع']);
});

test('raised and lowered characters stay in their line, even where an end of line is said', () => {
  const items = [
    item('Karpukhin', 72, 700),
    item('*', 117, 704, { size: 7 }),
    item('', 117, 700, { hasEOL: true }),
    item(', Min', 120.5, 700),
  ];
  expect(textsOf(items)).toEqual(['Karpukhin*, Min']);
});

test('lines at the same height in two columns stay apart', () => {
  const items = [item('left end', 72, 700, { hasEOL: true }), item('right start', 320, 700)];
  expect(textsOf(items)).toEqual(['left end', 'right start']);
});

test('a text on its side is read along its own direction', () => {
  const side = (str: string, x: number) => item(str, 0, 0, { transform: [0, 10, -10, 0, x, 100] });
  expect(textsOf([side('first line', 50), side('second line', 64)])).toEqual(['first line', 'second line']);
});

test('a compound keeps its hyphen where its parts are words, a broken word loses it', () => {
  const rows = [
    'the human mind was induced to see that it is human-',
    'induced and that the develop-',
    'ment of this was long in coming for all of us here',
  ];
  const lines = toLines(rows.map((text, row) => item(text, 72, 700 - row * 12, { hasEOL: true, width: 260 })));
  const sizes = new FontSizes();
  sizes.add(lines);
  expect(toMarkdown(lines, sizes.body())).toBe(
    'the human mind was induced to see that it is human-induced and that the development of this was long in coming ' +
      'for all of us here',
  );
});

test('list items begin lines, and larger print is a heading', () => {
  const items = [
    item('Stores', 72, 740, { size: 20, hasEOL: true }),
    item('We keep in the house at all times these things:', 72, 700, { hasEOL: true }),
    item('● bread', 80, 688, { hasEOL: true }),
    item('● salt', 80, 676, { hasEOL: true }),
  ];
  const lines = toLines(items);
  const sizes = new FontSizes();
  sizes.add(lines);
  expect(toMarkdown(lines, sizes.body())).toBe(
    '# Stores\n\nWe keep in the house at all times these things:\n- bread\n- salt',
  );
});
