import { expect, test } from '@jest/globals';
import type { SearchHit } from '../contracts/model/search.ts';
import { isCarried } from './grounding.ts';

function passage(title: string, text: string, headings: string[] = []): SearchHit {
  return {
    ...{ chunkId: `${title}#0`, documentId: title, version: 1, title, text, score: 1, similarity: 1 },
    ...{ headings, span: { start: 0, end: text.length }, highlights: [], metadata: {} },
  };
}

const shop = passage(
  'Acme',
  'We sell shoes. Refunds are paid within 14 days of the return. Gift cards are not refunded.\n\n' +
    'The shop opens at 9 on weekdays. It belongs to the World Retail Group. In 2023 it had 1,200 customers.',
  ['Terms of sale'],
);
const table = passage('Prices', '| Size | Price |\n| --- | --- |\n| Small | 30 |\n| Large | 45 |');

test.each([
  [
    'words of its own around those of the passage',
    'According to the terms, refunds will be paid within 14 days.',
    true,
  ],
  ['a number that is written otherwise', 'In 2023 the shop had 1200 customers.', true],
  ['a number in words', 'Refunds are paid within fourteen days.', true],
  ['a number of another matter', 'The shop opens at 14 on weekdays.', false],
  ['a number of a matter with a word in common', 'The shop, in which we sell shoes, opens at 2023 on weekdays.', false],
  ['a wrong number in words', 'Refunds are paid within thirty days.', false],
  ['a decimal of the same digits', 'Refunds are paid within 1.4 days.', false],
  ['a name that the title has', 'At Acme refunds are paid within 14 days.', true],
  ['a name that nothing has', 'At Globex refunds are paid within 14 days.', false],
  ['initials of a name', 'The shop belongs to WRG.', true],
  ['initials of nothing', 'The shop belongs to IBM.', false],
  ['the opposite', 'Refunds are not paid within 14 days of the return.', false],
  ['the opposite of what is denied', 'Gift cards are refunded.', false],
  ['what is denied', 'Gift cards cannot be refunded.', true],
  ['a denial beside another matter', 'Refunds are paid within 14 days, but not on gift cards.', true],
  ['another topic', 'Elephants live in large herds.', false],
])('%s: %s', (_kind, sentence, carried) => {
  expect(isCarried(sentence, [shop])).toBe(carried);
});

test('a number that stands alone in a cell of a table is carried by its table', () => {
  expect(isCarried('The large size has the price 45.', [table])).toBe(true);
  expect(isCarried('The large size has the price 50.', [table])).toBe(false);
});

test('a name with a digit in it is carried by itself only, in whatever case', () => {
  const errors = passage('Errors', 'The code err_ssl_42 means that the certificate has expired.');
  expect(isCarried('The code ERR_SSL_42 means an expired certificate.', [errors])).toBe(true);
  expect(isCarried('The code ERR_SSL_43 means an expired certificate.', [errors])).toBe(false);
});

test('two passages carry together what neither does alone', () => {
  const sentence = 'Refunds are paid within 14 days, and the large size has the price 45.';
  expect(isCarried(sentence, [shop])).toBe(false);
  expect(isCarried(sentence, [shop, table])).toBe(true);
});

test('in other languages the words and numbers are looked at, capitals say nothing', () => {
  const german = passage('Laden', 'Die Erstattung wird innerhalb von 14 Tagen nach der Rückgabe ausgezahlt.');
  expect(isCarried('Die Erstattung kommt innerhalb von 14 Tagen auf das Konto.', [german])).toBe(true);
  expect(isCarried('Die Erstattung kommt innerhalb von 30 Tagen.', [german])).toBe(false);
});
