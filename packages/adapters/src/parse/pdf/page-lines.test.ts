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

test('raised digits are an exponent, lowered ones and others as high as the text are not', () => {
  const small = (str: string, y: number, size = 7) => [
    item('10', 72, 700),
    item(str, 82, y, { size }),
    item(' km', 86, 700),
  ];
  expect(textsOf(small('6', 704))).toEqual(['10⁶ km']);
  expect(textsOf(small('a', 704))).toEqual(['10a km']);
  for (const [y, size] of [
    [698, 7],
    [701, 7],
    [704, 10],
  ])
    expect(textsOf(small('6', y!, size))).toEqual(['106 km']);
  expect(textsOf([item('1', 72, 704, { size: 7 }), item('See there', 76, 700)])).toEqual(['1See there']);
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

test('a run of blanks is no line', () => {
  expect(textsOf([item('  ', 72, 700, { hasEOL: true }), item('', 72, 700), item('text', 72, 600)])).toEqual(['text']);
  expect(textsOf([])).toEqual([]);
});

test('vertical writing is read down its columns, which come from right to left', () => {
  const vertical = (str: string, x: number, y: number) =>
    item(str, x, y, { dir: 'ttb', height: str.length * 10, transform: [10, 0, 0, 10, x, y] });
  const lines = toLines([vertical('潮の', 300, 700), vertical('表', 300, 680), vertical('港', 280, 700)]);
  expect(lines.map(({ text }) => text)).toEqual(['潮の表', '港']);
  expect(lines[0]!.across).toBeLessThan(lines[1]!.across);
});

test('text squeezed to nothing is read all the same', () => {
  const [line] = toLines([item('squeezed', 72, 700, { transform: [0, 0, 0, 0, 72, 700] })]);
  expect(line).toMatchObject({ text: 'squeezed', fontSize: 1 });
});

test('what is drawn twice to look bold is read once, whole words or what goes on from a letter', () => {
  expect(textsOf([item('Bold', 72, 700), item('Bold', 72.4, 700.3)])).toEqual(['Bold']);
  expect(textsOf([item('Shade', 72, 700, { size: 20 }), item('Shade', 74, 698, { size: 20 })])).toEqual(['Shade']);
  // `B` is 5 pt wide here; `BO` over it begins with the same letter.
  expect(textsOf([item('B', 72, 700), item('BO', 72.3, 700)])).toEqual(['BO']);
});

test('what only looks like a twin stays: the next letter, a far one, one in the line above, blanks', () => {
  expect(textsOf([item('see', 72, 700), item('else', 87, 700)])).toEqual(['seeelse']);
  expect(textsOf([item('no', 72, 700), item('no', 82, 700)])).toEqual(['nono']);
  expect(textsOf([item('ab', 72, 700), item('ab', 72, 703)])).toEqual(['abab']);
  expect(textsOf([item('a', 72, 700), item(' ', 77, 700), item(' ', 77, 700), item('b', 82, 700)])).toEqual(['a b']);
  expect(textsOf([item('a ', 72, 700), item(' b', 78, 700)])).toEqual(['a b']);
  // Far back: a line that begins again over itself.
  expect(textsOf([item('tides', 72, 700), item('sea', 72, 700)])).toEqual(['tidessea']);
});

test('a gap where an end of line is said is a space, none is none', () => {
  const end = item('', 0, 0, { hasEOL: true });
  expect(textsOf([item('x', 72, 700), end, item('2', 77.5, 698, { size: 7 })])).toEqual(['x2']);
  expect(textsOf([item('x', 72, 700), end, item('y', 80, 700)])).toEqual(['x y']);
});

test('wide gaps make cells', () => {
  const cells = (x: number) => toLines([item('Berth', 72, 700), item('Depth', x, 700)])[0]!.hasCells;
  expect([cells(100), cells(130)]).toEqual([false, true]);
});
