import { expect, test } from '@jest/globals';
import { splitSentences } from './sentences.ts';

const sentencesOf = (text: string) => splitSentences(text).map((span) => text.slice(span.start, span.end));

const cases: [rule: string, text: string, sentences: string[]][] = [
  ['ends at full stops, question and exclamation marks', 'One. Two? Three! Four', ['One.', 'Two?', 'Three!', 'Four']],
  ['keeps closing quotes and brackets', 'He said "Go." (She did.) Done.', ['He said "Go."', '(She did.)', 'Done.']],
  [
    'stays whole at abbreviations and initials',
    'Dr. J. R. Smith came at 3.5 m, e.g. late. Yes.',
    ['Dr. J. R. Smith came at 3.5 m, e.g. late.', 'Yes.'],
  ],
  [
    'goes on where a lower-case word follows',
    'The file config.yaml etc. is read. Next.',
    ['The file config.yaml etc. is read.', 'Next.'],
  ],
  ['ends after a year', 'It began in 1999. Then it ended.', ['It began in 1999.', 'Then it ended.']],
  ['ends after a number', 'The limit is 25. Ask for more.', ['The limit is 25.', 'Ask for more.']],
  [
    'takes a line break within a paragraph for a space',
    'A sentence of\ntwo lines. Next\none.',
    ['A sentence of\ntwo lines.', 'Next\none.'],
  ],
  ['ends at an empty line', 'No stop here\n\nNext paragraph', ['No stop here', 'Next paragraph']],
  ['ends at an empty line of Windows', 'No stop here\r\n\r\nNext paragraph', ['No stop here', 'Next paragraph']],
  [
    'keeps headings, items and rows apart',
    '# Title\nText. More\n- one\n- two\n1. three\n| a | b |\n| c | d |\nEnd',
    ['# Title', 'Text.', 'More', '- one', '- two', '1. three', '| a | b |', '| c | d |', 'End'],
  ],
  ['ends at wide full stops without a space', '東京は首都です。人口は多い。', ['東京は首都です。', '人口は多い。']],
  [
    'takes the marks of notes along',
    'It is so.[1] Or "not."[2, 3][a] See![4]\nYes.[5] but e.g.[6] this array.[7]x End',
    ['It is so.[1]', 'Or "not."[2, 3][a]', 'See![4]', 'Yes.[5] but e.g.[6] this array.[7]x End'],
  ],
  ['takes them along at wide full stops', '首都です。[1]人口は多い。[2]', ['首都です。[1]', '人口は多い。[2]']],
  ['finds nothing in white space', ' \n\n ', []],
];

test.each(cases)('a sentence %s', (_rule, text, sentences) => {
  expect(sentencesOf(text)).toEqual(sentences);
});

test('sentences are in order, apart, trimmed and of bounded length, whatever the text', () => {
  const alphabet = [
    'a',
    'B',
    ' ',
    '.',
    '\n',
    '!',
    '"',
    '。',
    '#',
    '-',
    '|',
    '1',
    '😀',
    '\t',
    'Dr.',
    '\r',
    '[1]',
    'x'.repeat(700),
  ];
  let seed = 7;
  const random = () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  for (let run = 0; run < 500; run += 1) {
    const length = Math.floor(random() * 60);
    const text = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
    let end = 0;
    let covered = '';
    for (const span of splitSentences(text)) {
      const sentence = text.slice(span.start, span.end);
      expect(span.start).toBeGreaterThanOrEqual(end);
      expect(sentence).toBe(sentence.trim());
      expect(sentence.length).toBeGreaterThan(0);
      expect(sentence.length).toBeLessThanOrEqual(1000);
      expect(sentence.isWellFormed()).toBe(true);
      end = span.end;
      covered += sentence;
    }
    expect(covered.replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
  }
});

test('a long text without an end is split in time that grows with its length', () => {
  const text = 'a.'.repeat(200_000) + '!'.repeat(100_000) + ' '.repeat(100_000) + '('.repeat(100_000);
  const startedAt = performance.now();
  splitSentences(text);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('a long text without white space is never cut within a character', () => {
  for (const text of ['😀'.repeat(1200), `a${'😀'.repeat(1200)}`]) {
    const parts = splitSentences(text).map(({ start, end }) => text.slice(start, end));
    expect(parts.every((part) => part.isWellFormed() && part.length <= 1000)).toBe(true);
    expect(parts.join('')).toBe(text);
  }
});
