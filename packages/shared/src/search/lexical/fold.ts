import { isAscii } from './scripts.ts';

/** Vowel points of Hebrew and Arabic, and the stretching sign of Arabic. */
const points =
  /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]/g;
/** Signs without a shape, but for the one that divides words of Persian. */
const invisible = /(?!\u200c)\p{Cf}/gu;
/** Stress and breathing of Greek; the dot that the small letter of Turkish İ has twice; the dots of Russian ё. */
const accents =
  /[\u0300\u0301\u0308\u0313\u0314\u0342\u0345](?<=\p{Script=Greek}\p{M}+)|\u0307(?<=i\u0307)|\u0308(?<=е\u0308)/gu;
/** A dot under a letter of Devanagari, which is often left out. */
const nukta = /\u093c/g;

/** Letters that are written one for the other. */
const others: Readonly<Record<string, string>> = {
  // Turkish: capital I is the capital of ı there, and of i elsewhere.
  ı: 'i',
  ß: 'ss',
  ς: 'σ',
  // Romanian, with a cedilla for a comma.
  ş: 'ș',
  ţ: 'ț',
  // Alef with whatever stands on or under it, and the ends of words; letters of Persian.
  أ: 'ا',
  إ: 'ا',
  آ: 'ا',
  ٱ: 'ا',
  ى: 'ي',
  ی: 'ي',
  ک: 'ك',
  ة: 'ه',
  // Devanagari: nasal signs, and the vowel of foreign words.
  '\u0901': '\u0902',
  ऑ: 'ओ',
  '\u0949': '\u094b',
};
const otherLetters = new RegExp(`[${Object.keys(others).join('')}]`, 'gu');

/**
 * A text in lower case and the compatibility form, equal for what its readers write one way or the other: without vowel
 * points, the stress of Greek, invisible signs, and with one letter for those of a kind (after the normalisers of Lucene for
 * Arabic, Persian, Greek and Hindi).
 */
export function plain(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  return text
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(points, '')
    .replace(invisible, '')
    .replace(accents, '')
    .replace(nukta, '')
    .normalize('NFC')
    .replace(otherLetters, (letter) => others[letter] as string);
}

/** Signs that are only Vietnamese, where every sign makes another word: hook, horn, dot below, đ, and two on one letter. */
const vietnamese = /[\u0309\u0323\u031bđ]|[\u0302\u0306][\u0300\u0301\u0303]/u;
const latinMarks = /\p{M}(?<=\p{Script=Latin}\p{M}+)/gu;
const latinLetters: Readonly<Record<string, string>> = { æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', ð: 'd', þ: 'th' };
const withoutMarks = new RegExp(`[${Object.keys(latinLetters).join('')}]`, 'gu');

/**
 * A word without the marks of its Latin letters: how it is typed in haste. Words that are Vietnamese by their marks keep
 * them.
 * @param word as `plain` gives it
 */
export function unmarked(word: string): string {
  const apart = word.normalize('NFD');
  if (vietnamese.test(apart)) return word;
  return apart
    .replace(latinMarks, '')
    .normalize('NFC')
    .replace(withoutMarks, (letter) => latinLetters[letter] as string);
}
