import { expect, test } from '@jest/globals';
import { isDenied, namesIn, numbersIn } from './claims.ts';

test.each([
  ['a number is the same however its thousands are set apart', '1,000 or 1.000 or 1’000', ['1000', '1000', '1000']],
  ['a decimal stays whole, whatever its sign', '3.5 and 2,75', ['3.5', '2.75']],
  [
    'the parts of a date and of a time are numbers of their own',
    'on 2024-05-01 at 14:30',
    ['2024', '5', '1', '14', '30'],
  ],
  ['what is joined to a number does not change it', '14th, 20%, $30, 5km', ['14', '20', '30', '5']],
  ['a number in words counts as well', 'Thirty days and twelve hours', ['30', '12']],
  ['"one" and "two" count what is said', 'One of the two rules', []],
  ['digits inside of a word are no number', 'H2O and ERR_SSL_42', []],
])('%s', (_rule, text, numbers) => {
  expect(numbersIn(text)).toEqual(numbers);
});

test.each([
  ['words with a capital are names, but for the first', 'Refunds are paid by Acme in Berlin.', ['Acme', 'Berlin']],
  ['what has a capital inside is one anywhere', 'WHO and iPhone stand here.', ['WHO', 'iPhone']],
  ['so is what mixes letters and digits', 'Error ERR_SSL_42 of A4 paper', ['ERR_SSL_42', 'A4']],
  ['a quotation begins like a sentence', 'He said: “Refunds come.”', []],
  ['an owner is a name without its ending', 'The hat of Acme’s founder', ['Acme']],
  ['two words with a hyphen are one, but for the first', 'Anglo-Saxon kings met Jean-Luc.', ['Jean-Luc']],
  ['the speaker is none', 'What I know', []],
])('%s', (_rule, text, names) => {
  expect(namesIn(text)).toEqual(names);
});

test.each([
  ['Shoes cannot be returned.', true],
  ["Shoes aren't returned.", true],
  ['Without a receipt nothing is paid.', true],
  ['Shoes can be returned no later than in May.', false],
  ['Not only shoes can be returned.', false],
  ['The knot can be tied.', false],
])('"%s" denies: %s', (text, denies) => {
  expect(isDenied(text)).toBe(denies);
});
