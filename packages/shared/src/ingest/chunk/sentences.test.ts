import { expect, test } from '@jest/globals';
import { sentencesOf } from './sentences.ts';

const sentences = (text: string) =>
  [...sentencesOf(text, { start: 0, end: text.length })].map(({ start, end }) => text.slice(start, end));

test.each([
  ['The harbour is open. Ships come in.', ['The harbour is open.', 'Ships come in.']],
  ['Ask Dr. Keel about it. He knows.', ['Ask Dr. Keel about it.', 'He knows.']],
  ['It was J. Rudder who came. She left.', ['It was J. Rudder who came.', 'She left.']],
  ['Ropes, nets etc. are dry.', ['Ropes, nets etc. are dry.']],
  ['It is three p. m. now.', ['It is three p. m. now.']],
])('in %j the dot of a shortened word or of an initial ends no sentence', (text, expected) => {
  expect(sentences(text)).toEqual(expected);
});
