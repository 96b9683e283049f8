import { expect, test } from '@jest/globals';
import type { SearchHit } from '../contracts/model/search.ts';
import { readCitations } from './citations.ts';

function passage(documentId: string, text: string, start = 0): SearchHit {
  return {
    ...{ chunkId: `${documentId}#0`, documentId, version: 1, title: documentId, text, score: 1, similarity: 1 },
    ...{ headings: [], span: { start, end: start + text.length }, highlights: [], metadata: {} },
  };
}

const passages = [
  passage('refunds', 'We sell shoes. Refunds are paid within 14 days of the return. Shoes must be clean.', 100),
  passage('hours', 'The shop opens at 9 on weekdays.', 0),
];

test('the quote is the sentence that carries the statement, at its place in the document', () => {
  const { citations, grounded } = readCitations('Refunds come within 14 days [1]. The shop opens at 9 [2].', passages);
  expect(grounded).toBe(true);
  expect(citations).toEqual([
    {
      ...{ marker: '[1]', chunkId: 'refunds#0', documentId: 'refunds', span: { start: 115, end: 161 } },
      quote: 'Refunds are paid within 14 days of the return.',
    },
    {
      ...{ marker: '[2]', chunkId: 'hours#0', documentId: 'hours', span: { start: 0, end: 32 } },
      quote: 'The shop opens at 9 on weekdays.',
    },
  ]);
});

test.each([
  [
    'a marker after the full stop belongs to the sentence before it',
    'Refunds within 14 days. [1] The shop opens at 9. [2]',
    true,
  ],
  ['so does one without a space', 'Refunds within 14 days.[1] The shop opens at 9.[2]', true],
  ['a sentence without a citation is not carried', 'Refunds within 14 days [1]. The shop opens at 9.', false],
  ['a wrong number is not carried', 'Refunds are paid within 30 days [1].', false],
  ['another topic is not carried', 'Elephants live in large African herds [1].', false],
  ['the wrong passage does not carry', 'Refunds are paid within 14 days [2].', false],
  ['a line that opens a list needs none', 'The rules are:\n- Refunds within 14 days [1]\n- Shop opens at 9 [2]', true],
  ['nothing is not carried', '', false],
])('%s', (_rule, answer, grounded) => {
  expect(readCitations(answer, passages).grounded).toBe(grounded);
});

test('each sentence has its own quote, the same quote is there once, and a marker of no passage has none', () => {
  const { citations } = readCitations('Refunds [1]. Clean shoes [1]. Refunds are paid [1]. Other [7].', passages);
  expect(citations.map(({ marker, quote }) => [marker, quote])).toEqual([
    ['[1]', 'Refunds are paid within 14 days of the return.'],
    ['[1]', 'Shoes must be clean.'],
  ]);
});
