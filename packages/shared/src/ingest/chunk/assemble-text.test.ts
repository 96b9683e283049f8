import { expect, test } from '@jest/globals';
import type { Extraction, OcrPage } from '../../contracts/model/extraction.ts';
import { assembleText } from './assemble-text.ts';

const page = (number: number, text: string, needsOcr = false) => ({ number, text, needsOcr });
const extraction = (paged: boolean, pages: Extraction['pages']): Extraction => ({
  schemaVersion: 1,
  mediaType: 'application/pdf',
  paged,
  pages,
  warnings: [],
});
const read = (number: number, text: string): [number, OcrPage] => [
  number,
  { schemaVersion: 1, number, text, confidence: 90 },
];

test('pages with text and pages that were read keep their order, and each span cuts out its page', () => {
  const pages = [page(1, 'One.'), page(2, '', true), page(3, ' Three. ')];
  const { text, pages: spans } = assembleText(extraction(true, pages), new Map([read(2, 'Two.')]));
  expect(text).toBe('One.\n\nTwo.\n\nThree.');
  expect(spans.map(({ number, span }) => [number, text.slice(span.start, span.end)])).toEqual([
    [1, 'One.'],
    [2, 'Two.'],
    [3, 'Three.'],
  ]);
});

test('a page that was not read is empty, not missing', () => {
  const { text, pages } = assembleText(extraction(true, [page(1, '', true), page(2, 'Two.')]), new Map());
  expect(pages.map(({ number, span }) => [number, text.slice(span.start, span.end)])).toEqual([
    [1, ''],
    [2, 'Two.'],
  ]);
});

test('a document without pages has no page spans', () => {
  expect(assembleText(extraction(false, [page(1, 'All.')]), new Map())).toEqual({ text: 'All.', pages: [] });
});

test('what was read from the picture on a page comes after the text of that page', () => {
  const { text, pages } = assembleText(extraction(true, [page(1, 'Own.', true)]), new Map([read(1, ' Read. ')]));
  expect(text).toBe('Own.\n\nRead.');
  expect(pages).toEqual([{ number: 1, span: { start: 0, end: text.length } }]);
});
