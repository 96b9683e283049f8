import { expect, test } from '@jest/globals';
import { checkTagDepth, maxTagDepth } from './tag-depth.ts';

const tooDeep = expect.objectContaining({ code: 'limits_exceeded', hint: expect.any(String) });
const outcomeOf = (markup: string) => {
  try {
    checkTagDepth(markup);
    return 'fine';
  } catch (error) {
    return error;
  }
};
const open = (name: string, times: number) => `<${name}>`.repeat(times);

test('elements may nest up to the limit and no deeper', () => {
  expect(outcomeOf(open('div', maxTagDepth))).toBe('fine');
  expect(outcomeOf(open('div', maxTagDepth + 1))).toEqual(tooDeep);
  expect(outcomeOf(open('DIV', 300) + open('w:tbl', 300))).toEqual(tooDeep);
});

test('what is closed no longer counts, and closing what is not open takes nothing away', () => {
  expect(outcomeOf('<div><p>one</p></div>'.repeat(1000))).toBe('fine');
  expect(outcomeOf('<div></span></div></span>'.repeat(1000))).toBe('fine');
  expect(outcomeOf(`${open('div', maxTagDepth)}${'</span>'.repeat(100)}<div>`)).toEqual(tooDeep);
});

test('what never nests does not count: list items, line breaks, elements that close themselves', () => {
  expect(outcomeOf(open('li', 1000) + open('br', 1000) + '<w:tab/>'.repeat(1000) + '<x y="1" />'.repeat(1000))).toBe(
    'fine',
  );
});

test('what scripts and styles hold is no markup, and one that is never closed holds all the rest', () => {
  const script = `<script>${open('div', 1000)}</script>`;
  expect(outcomeOf(script)).toBe('fine');
  expect(outcomeOf(script + open('div', maxTagDepth + 1))).toEqual(tooDeep);
  expect(outcomeOf(`<style>${open('div', 1000)}`)).toBe('fine');
});

test('a tag that is cut off at the end is a tag', () => {
  expect(outcomeOf(`${open('div', maxTagDepth)}<div`)).toEqual(tooDeep);
});
