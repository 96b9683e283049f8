import { expect, test } from '@jest/globals';
import { checkOf } from '../../ingest/stored/token-file.ts';
import { createFakeEmbedder, tokenVectors } from '../../testing/fake-embedder.ts';
import { createSentenceScorer } from './sentence-scores.ts';
import type { TokenVectorReader } from './token-vectors.ts';

const title = 'Ships\n';
const text = 'A lamp burns. Ships pass by! Rocks are hard.';
const hit = { chunkId: 'c', documentId: 'a', version: 1, index: 0, text, start: 1000 };

/** Has the tokens of one text, with a title before it. */
const reader: TokenVectorReader = {
  read: async (_tenant, _model, chunks) =>
    chunks.map((chunk) => {
      if (chunk.text !== text) return undefined;
      const { starts, ...tokens } = tokenVectors(title + text);
      const own = starts.map((start) => start - title.length);
      return { ...tokens, starts: own, textStart: 1000, textCheck: checkOf(text), direction: new Int8Array() };
    }),
};

const query = async (words: string) => {
  const late = createFakeEmbedder('m', { lateInteraction: true }).lateInteraction;
  const { tokens } = await late!.embedQuery(words);
  return tokens;
};
const span = (words: string) => {
  const start = 1000 + text.indexOf(words);
  return { start, end: start + words.length };
};
const spans = ['A lamp burns.', 'Ships pass by!', 'Rocks are hard.'].map(span);
const key = { tenant: 'acme', model: 'm' };

test('a sentence scores by its own tokens, not by those of the title or of the sentences around it', async () => {
  const score = createSentenceScorer(reader, key, await query('ships pass'), [hit]);
  const [scores] = await score([{ chunkId: 'c', spans }]);
  expect(scores?.sentences[1]).toBeCloseTo(1, 2);
  expect(scores?.sentences[0]).toBeLessThan(0.8);
  expect(scores?.sentences[2]).toBeLessThan(0.8);
});

test('a passage scores by all of its tokens, those of its title among them', async () => {
  const score = createSentenceScorer(reader, key, await query('ships lamp rocks'), [hit]);
  const [scores] = await score([{ chunkId: 'c', spans }]);
  expect(scores?.passage).toBeCloseTo(1, 2);
  for (const sentence of scores?.sentences ?? []) expect(sentence).toBeLessThan(0.9);
});

test('says nothing of places without tokens, of unknown hits, nor of passages whose tokens are not there', async () => {
  const other = { ...hit, chunkId: 'd', text: 'Something else.' };
  const score = createSentenceScorer(reader, key, await query('ships'), [hit, other]);
  const outside = { start: 0, end: 500 };
  const asked = [
    { chunkId: 'd', spans: [outside] },
    { chunkId: 'unknown', spans: [outside, outside] },
    { chunkId: 'c', spans: [outside, spans[1]!] },
    { chunkId: 'c', spans: [] },
  ];
  const [missing, unknown, known, none] = await score(asked);
  expect(missing).toEqual({ passage: undefined, sentences: [undefined] });
  expect(unknown).toEqual({ passage: undefined, sentences: [undefined, undefined] });
  expect(known?.sentences).toEqual([undefined, expect.closeTo(1, 2)]);
  expect(none).toEqual({ passage: known?.passage, sentences: [] });
});
