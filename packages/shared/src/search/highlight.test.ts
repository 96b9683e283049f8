import { expect, test } from '@jest/globals';
import { highlight, mergeSpans } from './highlight.ts';
import { createQueryWords } from './query-words.ts';

/** What is marked, each sentence with its terms in brackets. */
function marked(query: string, text: string, idfOfStem?: (stem: string) => number): string[] {
  const start = 100;
  const read = (span: { start: number; end: number }) => text.slice(span.start - start, span.end - start);
  return highlight(createQueryWords(query, idfOfStem), { text, start }).map((span) =>
    span.terms ? `${read(span)} [${span.terms.map(read).join(', ')}]` : read(span),
  );
}

test('marks the sentence with most of the words and the words in it, and the words elsewhere', () => {
  expect(marked('refund deadline', 'A refund is possible. The refund deadline is May. Ask early.')).toEqual([
    'refund',
    'The refund deadline is May. [refund, deadline]',
  ]);
});

test('a heading is marked as the sentence only where nothing else has a word', () => {
  const text = '## Refund deadline\n\nIt is possible until the deadline of May.';
  expect(marked('refund deadline', text)).toEqual([
    'Refund',
    'deadline',
    'It is possible until the deadline of May. [deadline]',
  ]);
  expect(marked('refund', text)).toEqual(['## Refund deadline [Refund]']);
});

test('finds other forms of a word, in any case and width', () => {
  expect(marked('indexes', 'Nothing.\n\nINDEXING')).toEqual(['INDEXING [INDEXING]']);
  expect(marked('cafe\u0301', 'Ｃａｆé')).toEqual(['Ｃａｆé [Ｃａｆé]']);
  expect(marked('cats', 'One cat. Two.')).toEqual(['One cat. [cat]']);
  expect(marked('marea alta', 'Las mareas altas. Otra.')).toEqual(['Las mareas altas. [mareas, altas]']);
  expect(marked('модель', 'Две модели. Другое.')).toEqual(['Две модели. [модели]']);
  expect(marked('Gezeiten', 'Ein Gezeitenkraftwerk. Anderes.')).toEqual(['Ein Gezeitenkraftwerk. [Gezeitenkraftwerk]']);
});

test('does not take for the same what only begins alike', () => {
  expect(marked('contract', 'A contrast. More.')).toEqual([]);
  expect(marked('international', 'The internet. More.')).toEqual([]);
});

test('finds words of scripts without spaces, and no chance meeting of two characters', () => {
  expect(marked('日本の首都はどこですか', '人口は多いです。東京は日本の首都です。')).toEqual([
    '東京は日本の首都です。 [日本の首都]',
  ]);
  expect(marked('猫', '犬。猫がいる。')).toEqual(['猫がいる。 [猫]']);
  expect(marked('首都', '東京は首都です。')).toEqual(['東京は首都です。 [首都]']);
});

test('finds identifiers whole', () => {
  const text = 'See ERR-SSL-41. The log has ERR_SSL_42 and err_ssl_42x.';
  expect(marked('what is err_ssl_42', text)).toEqual(['The log has ERR_SSL_42 and err_ssl_42x. [ERR_SSL_42]']);
  expect(marked('what is err_ssl_43', text)).toContain('ERR');
  expect(createQueryWords('INV-2026-00417').matchesIn('inv-2026-00417')[0]).toMatchObject({ isIdentifier: true });
});

test('leaves words alone that nearly every text has, where that is known', () => {
  const text = 'La ciudad de la luz. La capital de Francia es París.';
  const rarity: Record<string, number> = { capit: 3, francia: 5 };
  expect(marked('la capital de francia', text, (stem) => rarity[stem] ?? 0.1)).toEqual([
    'La capital de Francia es París. [capital, Francia]',
  ]);
});

test('the rarer word decides which sentence is marked', () => {
  const text = 'The pump and the valve. The membrane.';
  const rarity: Record<string, number> = { membran: 9 };
  expect(marked('pump valve membrane', text, (stem) => rarity[stem] ?? 4)).toContain('The membrane. [membrane]');
});

test('marks nothing where no word occurs, but a sentence that stands alone', () => {
  expect(marked('what is the answer', 'This is the question. And more.')).toEqual([]);
  expect(marked('how warm is it', 'Twenty degrees.')).toEqual(['Twenty degrees. []']);
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

test('a word that is longer than any sentence may be is marked by itself', () => {
  const word = 'pneumono'.repeat(200);
  expect(marked(word, `Once ${word} more.`)).toEqual([word]);
});

test('of a name its own parts are marked in it only where the query has them apart as well', () => {
  const find = (query: string, text: string) =>
    createQueryWords(query)
      .matchesIn(text)
      .map(({ start, end }) => text.slice(start, end));
  expect(find('INV-2026', 'See INV-2026 of 2026.')).toEqual(['INV-2026']);
  expect(find('INV-2026 of 2026', 'See INV-2026.')).toEqual(['INV-2026', '2026']);
  expect(find('INV-2026 inv', 'See INV-2026.')).toEqual(['INV-2026', 'INV']);
  // A name within a name is not marked twice.
  expect(find('/etc/nginx/nginx.conf', 'See /etc/nginx/nginx.conf.')).toEqual(['etc/nginx/nginx.conf']);
});
