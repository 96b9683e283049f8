import { expect, test } from '@jest/globals';
import iconv from 'iconv-lite';
import { decodeText } from './charset.ts';
import { countUtf8 } from './nearly-utf8.ts';

const texts = {
  German: 'Grüße aus Köln, sagte der Wärter.',
  French: 'Où est-il allé, l’élève ?',
  Russian: 'Все люди рождаются свободными и равными в своем достоинстве и правах.',
  Chinese: '人人生而自由,在尊严和权利上一律平等。',
  Arabic: 'يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق.',
  Thai: 'มนุษย์ทั้งปวงเกิดมามีอิสระ',
  emoji: 'Spring tide 🌊 at noon 🌞 and at night 🌙',
};
const bytesOf = (...parts: (string | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const oneDamaged = [{ code: 'text_damaged', message: 'At one place the text is no valid UTF-8; U+FFFD stands there.' }];

test.each(Object.entries(texts))(
  '%s in UTF-8 with a broken byte loses that byte and nothing else',
  (_language, text) => {
    for (const broken of [0xe9, 0xff, 0x80, 0xd0]) {
      expect(decodeText(bytesOf(text, [broken], ` ${text}`))).toEqual({
        text: `${text}\ufffd ${text}`,
        warnings: oneDamaged,
      });
    }
  },
);

test.each(Object.entries(texts))('%s in UTF-8 that ends within a character loses that character', (_language, text) => {
  for (const start of [[0xc3], [0xe2], [0xe2, 0x80], [0xf0, 0x9f, 0x8c]]) {
    expect(decodeText(bytesOf(text, start))).toEqual({ text: `${text}\ufffd`, warnings: oneDamaged });
  }
});

test('one whole character is enough where only the end is cut off, and none is not', () => {
  expect(decodeText(bytesOf('Köln, Gr', [0xc3]))).toEqual({ text: 'Köln, Gr\ufffd', warnings: oneDamaged });
  expect(decodeText(bytesOf('Gr', [0xc3]))).toEqual({ text: 'GrÃ', warnings: [] });
});

test('a few characters that happen to be UTF-8 make no UTF-8 of text that is mostly something else', () => {
  const late = iconv.encode('Der Wärter heißt Jürgen. '.repeat(20), 'windows-1252');
  const mixed = bytesOf('Grüße: ', [...late]);
  expect(decodeText(mixed)).toEqual({ text: iconv.decode(mixed, 'windows-1252'), warnings: [] });
  // Also where the part that is looked at for a guess is UTF-8 throughout.
  const start = bytesOf('Grüße. ', 'nothing to see here\n'.repeat(4000));
  const long = bytesOf([...start], [...late]);
  expect(decodeText(long).text).toContain('Der Wärter heißt Jürgen.');
});

test('how many places are broken is told, of what is declared or marked as UTF-8 too', () => {
  const damaged = bytesOf('Gr', [0xfc], 'n, K', [0xf6], 'ln');
  const twice = [{ code: 'text_damaged', message: 'At 2 places the text is no valid UTF-8; U+FFFD stands there.' }];
  expect(decodeText(damaged, 'UTF-8')).toEqual({ text: 'Gr\ufffdn, K\ufffdln', warnings: twice });
  expect(decodeText(bytesOf([0xef, 0xbb, 0xbf], [...damaged]))).toEqual({
    text: 'Gr\ufffdn, K\ufffdln',
    warnings: twice,
  });
  expect(decodeText(bytesOf([0xef, 0xbb, 0xbf], 'Köln'))).toEqual({ text: 'Köln', warnings: [] });
});

test('a replacement character that the text holds of its own is nothing broken', () => {
  expect(decodeText(bytesOf('K\ufffdln, Grüße'))).toEqual({ text: 'K\ufffdln, Grüße', warnings: [] });
  const counted = countUtf8(bytesOf('\ufffd\ufffd Größe 🌊', [0xff], ' \ufffd', [0xc3]));
  expect(counted).toEqual({ whole: 3, broken: 2, isCutOff: true });
});
