import { expect, test } from '@jest/globals';
import { phrasesOf, unquoted } from './phrases.ts';
import { lexicalEntry } from './terms.ts';

test.each([
  ['"annual leave" policy', 'Annual leave is paid.', true],
  ['"annual leave"', 'ANNUAL, LEAVE', true],
  ['"annual leave"', 'leave that is annual', false],
  ['"annual leave"', 'annual paid leave', false],
  ['"annual leave"', 'annual leaves', false],
  ['"annual leave"', 'semiannual leave', false],
  ['“annual leave”', 'his annual leave', true],
  ['„Jährlicher Urlaub“', 'Ein jährlicher Urlaub.', true],
  ['« congé annuel »', 'le congé annuel', true],
  ['«congé annuel»', 'le congé est annuel', false],
  ['"paid" and "in March"', 'in March it is paid', true],
  ['"paid" and "in March"', 'in April it is paid', false],
  ['什么是"东京都"', '东京都的人口', true],
  ['什么是“东京都”', '东京。京都', false],
  ['"年"', '東京都2026年度', true],
  ['"서울 시청"', '서울 시청에서', true],
  ['"the"', 'the sea', true],
  ['"ERR_SSL_42"', 'It says ERR_SSL_42: retry', true],
  ['"naïve Bayes"', 'nai\u0308ve Bayes', true],
])('%s is in “%s”: %s', (query, text, holds) => {
  const phrases = phrasesOf(query);
  expect(phrases?.areIn(text)).toBe(holds);
  if (!holds) return;
  const { terms } = lexicalEntry('', text);
  expect(phrases?.required.filter((term) => !terms.has(term))).toEqual([]);
});

test.each([
  'a 5" pipe',
  'a 5" or 6" pipe',
  'he said "yes',
  '""',
  '" "',
  '"?!"',
  "'annual leave'",
  '»leave« it',
  'say "?!" twice',
])('%s has no phrase', (query) => {
  expect(phrasesOf(query)).toBeUndefined();
});

test('a page in quotes asks for no more lists than a few', () => {
  const words = Array.from({ length: 500 }, (_, at) => `word${at}`).join(' ');
  const phrases = phrasesOf(`"${words}"`);
  expect(phrases?.required).toHaveLength(32);
  expect([phrases?.areIn(words), phrases?.areIn(words.replace('word499', ''))]).toEqual([true, false]);
});

test.each(['"annual leave" policy', '“annual leave”', '„Urlaub“', '« congé »', 'he said "yes'])(
  '%s without its quotes has no phrase',
  (query) => {
    expect(phrasesOf(unquoted(query))).toBeUndefined();
    expect(phrasesOf(`${unquoted(query)}" more "`)).toBeUndefined();
  },
);
