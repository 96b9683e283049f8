import { expect, test } from '@jest/globals';
import { withoutParticle } from './korean.ts';
import { prefixOf, stemOf } from './terms.ts';

test('a word meets itself with other particles', () => {
  for (const form of [
    '서울',
    '서울은',
    '서울이',
    '서울을',
    '서울의',
    '서울에',
    '서울에서',
    '서울에서는',
    '서울까지',
    '서울로부터',
  ])
    expect([form, stemOf(form)]).toEqual([form, '서울']);
  expect(['학교가', '학교는', '학교를', '학교와', '학교로'].map(withoutParticle)).toEqual(Array(5).fill('학교'));
  expect(['물은', '물을', '물'].map(withoutParticle)).toEqual(['물', '물', '물']);
});

test('foreign words and numbers lose their particles too', () => {
  expect(['api를', 'files가', '42를', '2024년에'].map(stemOf)).toEqual(['api', 'file', '42', '2024년']);
});

test('what only looks like a particle stays', () => {
  for (const word of ['가을', '나이', '사과', '오이', '회의', '이']) expect(withoutParticle(word)).toBe(word);
});

test('words of one beginning meet after two syllables', () => {
  expect(['서울', '서울시청', '서울에서부터'].map(prefixOf)).toEqual(['서울', '서울', '서울']);
});
