import { expect, test } from '@jest/globals';
import { carries, containsAnswer, statementsOf } from './answer-metrics.ts';

test('an answer stands in a text whatever its case, punctuation and articles', () => {
  const text = 'The “Monroe-Doctrine” of 1823 cost £1,000.';
  expect(containsAnswer(text, ['the Monroe Doctrine'])).toBe(true);
  expect(containsAnswer(text, ['1,000'])).toBe(true);
  expect(containsAnswer(text, ['no', '1823'])).toBe(true);
});

test('a part of a word is no answer, except where words have no spaces', () => {
  expect(containsAnswer('It began in 1995.', ['5'])).toBe(false);
  expect(containsAnswer('黑豹队共失308分。', ['308'])).toBe(false);
  expect(containsAnswer('黑豹队共失 308 分。', ['308'])).toBe(true);
  expect(containsAnswer('卡罗来纳黑豹队的防守', ['黑豹队'])).toBe(true);
  expect(containsAnswer('Anything.', ['…'])).toBe(false);
});

test('an answer of nothing but an article is found as it is', () => {
  expect(containsAnswer('He drew an A.', ['A'])).toBe(false);
  expect(containsAnswer('A', ['A'])).toBe(true);
});

test('a statement ends where its citations stand', () => {
  expect(statementsOf('Tides rise twice. [1] They follow the moon [2][3]. So it is said.')).toEqual([
    { text: 'Tides rise twice.', markers: ['[1]'] },
    { text: 'They follow the moon', markers: ['[2]', '[3]'] },
    { text: 'So it is said.', markers: [] },
  ]);
  expect(statementsOf('Nothing was found.')).toEqual([{ text: 'Nothing was found.', markers: [] }]);
  expect(statementsOf('')).toEqual([]);
});

test('a quote carries what it says and not what it does not', () => {
  const quote = 'The bonus is paid in March, together with the salary.';
  expect(carries(quote, 'The bonus is paid in March.')).toBe(true);
  expect(carries(quote, 'Evidence is weak. Passages say: The bonus is paid in March, together with the salary.')).toBe(
    true,
  );
  expect(carries(quote, 'The bonus is paid in October to every employee.')).toBe(false);
});
