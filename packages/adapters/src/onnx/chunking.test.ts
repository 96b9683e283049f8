import { expect, test } from '@jest/globals';
import { chunkDocument } from '@semantic-memory/shared/ingest/chunk/chunk-document';
import { encode } from './embedder.ts';
import { readModelCard } from './model-card.ts';
import { createTokenizer } from './tokenizer.ts';

const tokenizer = createTokenizer();
const card = readModelCard();
const prose =
  'Die Donaudampfschifffahrtsgesellschaft, naïvely speaking, isn’t a word; 検索と引用 are. カタカナ too! See [SEP] in §4.2. ';

test.each([
  ['mixed prose', prose.repeat(3000)],
  ['one line of a single word', 'x'.repeat(1_000_000)],
  ['ideographs without spaces', '数据库记住一切检索返回引用'.repeat(20_000)],
  ['kana and hangul without spaces', 'かなカナ한국어'.repeat(30_000)],
  [
    'letters at random',
    Array.from({ length: 200_000 }, (_, i) => String.fromCharCode(97 + ((i * i * 7) % 26))).join(''),
  ],
])('chunks of %s fit the model, counted by its own tokenizer', (_, text) => {
  const chunks = chunkDocument({
    text: { text, pages: [] },
    title: prose.repeat(20),
    tenant: 'acme',
    documentId: 'doc-1',
    version: 1,
    model: card.name,
    tokenizer,
  });
  const long = chunks.filter((chunk) => chunk.tokens > 290 || tokenizer.tokenize(chunk.text).length !== chunk.tokens);
  expect(long).toEqual([]);
  const cut = chunks.filter((chunk) => tokenizer.tokenize(chunk.embedText).length + 2 > card.maxTokens);
  expect(cut).toEqual([]);
  expect(encode(tokenizer, card, chunks[0]!.embedText).tokenIds.length).toBeLessThanOrEqual(card.maxTokens);
  expect(chunks.at(-1)!.span.end).toBe(text.trimEnd().length);
});
