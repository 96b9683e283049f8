import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { seededRandom } from '@semantic-memory/shared/testing/seeded-random';
import { Tokenizer as OfficialTokenizer } from 'tokenizers';
import { modelFile } from './model-card.ts';
import { createTokenizer } from './tokenizer.ts';

const tokenizer = createTokenizer();
const official = OfficialTokenizer.fromFile(modelFile('tokenizer.json'));
const reference = JSON.parse(readFileSync(modelFile('reference-vectors.json'), 'utf8')) as {
  passages: { text: string; tokens: number }[];
};

async function officialTokens(text: string) {
  const encoding = await official.encode(text, null, { addSpecialTokens: false });
  const unitsBefore = [0];
  for (const character of text) unitsBefore.push(unitsBefore.at(-1)! + character.length);
  const offsets = encoding.getOffsets();
  return encoding.getIds().map((id, i) => {
    const [start, end] = offsets[i] as [number, number];
    return { id, start: unitsBefore[start], end: unitsBefore[end] };
  });
}

test.each(reference.passages)('counts the reference passage as the model does: $tokens', async ({ text, tokens }) => {
  expect(tokenizer.tokenize(text)).toHaveLength(tokens - 2);
  expect(tokenizer.tokenize(text)).toEqual(await officialTokens(text));
});

test.each([
  ['accents', 'Crème brûlée à la carte, Ångström, İstanbul, Straße, ÉCOLE'],
  ['accents apart from their letters', 'Cre\u0300me bru\u0302le\u0301e\u0301\u0302 x'],
  ['ideographs', '検索と引用。数据库 memory 的人. 한국어 서비스 かな カナ'],
  ['ideographs of the compatibility block', '\uf934\uf9b2 \u{2f804} \u{20bb7}野家'],
  ['emoji and other astral letters', 'on 🚀🚀 off 👩‍👩‍👧 𝒳y 𐐀𐐨'],
  ['controls and odd spaces', 'a\u0000b\u200bc\u00a0d\u2028e\tf\r\ng\fh\u0085i\ufffdj\u00adk'],
  ['punctuation', "it's C++/C# — “quoted” $5.00 (50%) a_b <x>=^~|` \u1fef \u037e"],
  ['right-to-left and Indic letters', 'שָׁלוֹם مَرْحَبًا हिन्दी ไทย'],
  ['words of 100 and of 101 letters', `${'ab'.repeat(50)} ${'ab'.repeat(50)}c ${'é'.repeat(100)} 한${'한'.repeat(40)}`],
  ['nothing', ''],
  ['only spaces', ' \n\t '],
])('agrees with the official tokenizer on %s', async (_, text) => {
  expect(tokenizer.tokenize(text)).toEqual(await officialTokens(text));
});

test('agrees with the official tokenizer on random mixtures of scripts', async () => {
  const random = seededRandom(7);
  const blocks = [0x20, 0x61, 0x61, 0xc0, 0x300, 0x370, 0x400, 0x5d0, 0x905, 0x2010, 0x3041, 0x4e00, 0xac00, 0x1f600];
  for (let round = 0; round < 300; round++) {
    let text = '';
    let block = 0x61;
    for (let i = 0; i < 80; i++) {
      if (random() < 0.15) block = blocks[Math.floor(random() * blocks.length)]!;
      text += random() < 0.15 ? ' ' : String.fromCodePoint(block + Math.floor(random() * 26));
    }
    expect({ text, tokens: tokenizer.tokenize(text) }).toEqual({ text, tokens: await officialTokens(text) });
  }
});

test('makes ordinary tokens of control tokens that a user wrote', () => {
  const text = 'before [SEP] [CLS] [MASK] [UNK] [PAD] after';
  const tokens = tokenizer.tokenize(text);
  expect(tokens.map((token) => text.slice(token.start, token.end)).join(' ')).toBe(
    'before [ sep ] [ cl s ] [ mask ] [ un k ] [ pad ] after'.replace(/sep|cl s|mask|un k|pad/g, (part) =>
      part.toUpperCase(),
    ),
  );
  for (const token of tokens) expect([0, 100, 101, 102, 103]).not.toContain(token.id);
});

test('stops early where only the beginning is asked for', () => {
  const text = 'embedding '.repeat(1000);
  expect(tokenizer.tokenize(text, 10).slice(0, 10)).toEqual(tokenizer.tokenize(text).slice(0, 10));
  expect(tokenizer.tokenize(text, 10).length).toBeLessThan(20);
});

test('takes time in proportion to the text, even for words that nobody wrote', () => {
  const random = seededRandom(3);
  const letters = Array.from({ length: 1_000_000 }, (_, i) =>
    i % 100 === 99 ? ' ' : String.fromCharCode(97 + Math.floor(random() * 26)),
  ).join('');
  const startedAt = performance.now();
  expect(tokenizer.tokenize(letters).length).toBeGreaterThan(300_000);
  expect(tokenizer.tokenize('x'.repeat(10_000_000))).toHaveLength(1);
  // Generous: 0.2 s on an idle core; a search of slices takes minutes.
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
