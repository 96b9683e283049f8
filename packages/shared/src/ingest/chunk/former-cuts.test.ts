import { expect, test } from '@jest/globals';
import { fakeTokenizer } from '../../testing/fake-embedder.ts';
import { keptRanges } from './former-cuts.ts';
import { sectionUnitsOf } from './sections.ts';

/** The parts of a text as chunks that follow each other, as an earlier version was cut. */
function formerOf(parts: readonly string[]) {
  let start = 0;
  return parts.map((text) => {
    const span = { start, end: start + text.length };
    start = span.end + 2;
    return { text, span };
  });
}

/** What of a text is cut as it was. */
function kept(text: string, former: readonly string[]): string[] {
  const units = [...sectionUnitsOf(text, fakeTokenizer)];
  return keptRanges(text, units, formerOf(former)).map(({ from, to }) =>
    text.slice(units[from]!.start, units[to - 1]!.end),
  );
}

const first = 'The first of the ships came in at noon.';
const second = 'The second of the ships came in at night.';
const third = 'Nobody was there to see the third one.';

test('chunks that were moved are found where they are now, in whichever order', () => {
  const text = ['New at the top of it.', third, first, second, 'New at the end of it.'].join('\n\n');
  expect(kept(text, [first, second, third])).toEqual([third, first, second]);
});

test('a chunk of a few letters is not looked for: it is cut again, most likely the same', () => {
  const text = ['New at the top of it.', 'Ships.', second, 'New at the end of it.'].join('\n\n');
  expect(kept(text, [first, 'Ships.', second, third])).toEqual([second]);
});

test('of a text that stands there twice, both are kept', () => {
  const text = ['New at the top of it.', first, 'New between them, and long.', first, 'New at the end.'].join('\n\n');
  expect(kept(text, ['Old at the top of it.', first, first, 'Old at the end.'])).toEqual([first, first]);
});

test('of many chunks that begin alike only some are compared, so that no text makes it slow', () => {
  const alike = Array.from({ length: 12 }, (_, at) => `The keeper of the light saw ship number ${at}.`);
  const text = ['New at the top of it.', ...alike.toReversed(), 'New at the end of it.'].join('\n\n');
  const found = kept(text, ['Old at the top of it.', ...alike, 'Old at the end of it.']);
  expect(found.length).toBeGreaterThanOrEqual(8);
  expect(found.length).toBeLessThan(12);
});
