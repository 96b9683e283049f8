import { expect, test } from '@jest/globals';
import { highlight, mergeSpans } from './highlight.ts';
import { termKeys } from './terms.ts';

const marked = (query: string, text: string, start = 0) =>
  highlight(termKeys(query), { text, start }).map((span) => text.slice(span.start - start, span.end - start));

test('marks the sentence with most of the words, and the words elsewhere', () => {
  expect(marked('refund deadline', 'A refund is possible. The refund deadline is May. Ask early.')).toEqual([
    'refund',
    'The refund deadline is May.',
  ]);
});

test('finds other forms of a word, in any case and width', () => {
  expect(marked('indexes', 'Nothing.\n\nINDEXING')).toEqual(['INDEXING']);
  expect(marked('cafe\u0301', 'Ｃａｆé')).toEqual(['Ｃａｆé']);
  expect(marked('cats', 'One cat.')).toEqual(['One cat.']);
});

test('finds words of scripts without spaces', () => {
  expect(marked('首都', '人口は多い。東京は首都です。')).toEqual(['東京は首都です。']);
});

test('leaves stop words alone, and marks nothing where no word occurs', () => {
  expect(marked('what is the answer', 'This is the question.')).toEqual([]);
});

test('spans count from the beginning of the document', () => {
  expect(highlight(termKeys('beta'), { text: 'alpha\n\nbeta', start: 100 })).toEqual([{ start: 107, end: 111 }]);
});

test('spans are merged into sorted ones that are apart', () => {
  const spans = [
    { start: 8, end: 9 },
    { start: 0, end: 4 },
    { start: 2, end: 6 },
    { start: 6, end: 7 },
    { start: 9, end: 9 },
  ];
  expect(mergeSpans(spans)).toEqual([
    { start: 0, end: 7 },
    { start: 8, end: 9 },
  ]);
});
