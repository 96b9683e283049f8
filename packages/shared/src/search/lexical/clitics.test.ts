import { expect, test } from '@jest/globals';
import { withoutClitics } from './arabic.ts';
import { plain } from './fold.ts';
import { withoutEnding } from './hindi.ts';

test.each([
  ['book', ['كتاب', 'الكتاب', 'والكتاب', 'بالكتاب', 'كتابها', 'للكتاب']],
  ['teacher', ['معلم', 'المعلمون', 'المعلمين', 'معلمة', 'المعلمات']],
])('Arabic forms of %s have one stem', (_word, forms) => {
  expect([...new Set(forms.map((form) => withoutClitics(plain(form))))]).toHaveLength(1);
});

test('what looks like an article or an ending stays where nothing would be left', () => {
  expect(['ال', 'ولد', 'به', 'الف'].map((word) => withoutClitics(plain(word)))).toEqual(['ال', 'ولد', 'به', 'الف']);
});

test.each([
  ['boy', ['लड़का', 'लड़के', 'लड़कों']],
  ['girl', ['लड़की', 'लड़कियाँ', 'लड़कियों', 'लड़कियां']],
  ['book', ['किताब', 'किताबें', 'किताबों']],
])('Hindi forms of %s have one stem', (_word, forms) => {
  expect([...new Set(forms.map((form) => withoutEnding(plain(form))))]).toHaveLength(1);
});

test('a short word of Hindi keeps its ending', () => {
  expect(['का', 'की', 'मां'].map((word) => withoutEnding(plain(word)))).toEqual(['का', 'की', 'मां']);
});
