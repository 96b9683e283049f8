import { expect, test } from '@jest/globals';
import { plain, unmarked } from './fold.ts';

test.each([
  ['Turkish İ and I, ı and i', ['İstanbul', 'istanbul', 'ISTANBUL', 'ıstanbul']],
  ['German ß', ['Straße', 'STRASSE', 'strasse']],
  ['Greek with and without stress, and its last sigma', ['ΟΔΟΣ', 'οδός', 'Οδος']],
  ['Russian ё', ['Ёлка', 'ёлка', 'елка']],
  ['Romanian with comma and cedilla', ['Știință', 'ştiinţă', 'ȘTIINȚĂ']],
  ['Arabic with vowel points, stretched, and with other forms of alef', ['إِسْلَام', 'اسلام', 'أســـلام']],
  ['Arabic ends of words, and letters of Persian', ['مدرسة', 'مدرسه']],
  ['Persian kaf and ye', ['کتابی', 'كتابي']],
  ['Hebrew with points', ['שָׁלוֹם', 'שלום']],
  ['Hindi with and without a dot, and both nasal signs', ['फ़िल्म', 'फिल्म']],
  ['Hindi nasal signs', ['हँसी', 'हंसी']],
  ['a joiner of Hindi, and a soft hyphen', ['क्\u200dष', 'क्ष']],
  ['what is composed and what is not', ['caf\u00e9', 'cafe\u0301']],
  ['compatibility forms', ['ﬁnal №７', 'final no7']],
])('%s are the same', (_what, spellings) => {
  expect([...new Set(spellings.map(plain))]).toHaveLength(1);
});

test('letters that make other words stay apart', () => {
  const apart = ['й', 'и', 'ї', 'і', 'ñ', 'n', 'ü', 'u', 'ma', 'má', 'mà', 'ไม่', 'ไม้', 'が', 'か', 'ी', 'ि'];
  expect(new Set(apart.map(plain)).size).toBe(apart.length);
  // The sign divides what is said apart: می‌خواهم.
  expect(plain('می\u200cخواهم')).toContain('\u200c');
});

test('a word is told without its marks, unless they are Vietnamese', () => {
  expect(['naïve', 'ação', 'żółć', 'søster', 'œuvre', 'şehir', 'élan'].map(unmarked)).toEqual([
    'naive',
    'acao',
    'zolc',
    'soster',
    'oeuvre',
    'sehir',
    'elan',
  ]);
  expect(['phở', 'nước', 'đường', 'điện', 'một'].map(unmarked)).toEqual(['phở', 'nước', 'đường', 'điện', 'một']);
  expect(['привет', 'кий', 'हिन्दी', '한국어'].map(unmarked)).toEqual(['привет', 'кий', 'हिन्दी', '한국어']);
});
