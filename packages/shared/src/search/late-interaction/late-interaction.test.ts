import { expect, test } from '@jest/globals';
import type { QueryTokens } from '../../ports/embedder.ts';
import { createLateInteraction } from './late-interaction.ts';
import type { TokenVectorReader } from './token-vectors.ts';

const width = 16;

/** So many tokens, each in a direction of its own, as far as there are directions. */
function tokensOf(directions: readonly number[], weights: readonly number[]): QueryTokens {
  const values = new Int8Array(directions.length * width);
  directions.forEach((direction, row) => {
    values[row * width + direction] = 100;
  });
  return { values, scales: new Float32Array(directions.length).fill(0.01), weights: Float32Array.from(weights) };
}

/** Has the same passage for every chunk. */
function readerOf(directions: readonly number[]): TokenVectorReader {
  const { values, scales } = tokensOf(directions, []);
  const passage = { starts: new Int32Array(scales.length), textStart: 0, textCheck: 0, direction: Int8Array.of(7) };
  return { read: async (_tenant, _model, chunks) => chunks.map(() => ({ values, scales, ...passage })) };
}

const passages = [{ documentId: 'a', version: 1, index: 0, title: '', text: '' }];
const query = (tokens: QueryTokens | undefined, text = 'a question in English') => ({
  ...{ tenant: 'acme', model: 'm', text },
  ...(tokens ? { tokens } : {}),
});

test('of a query of many tokens the heaviest count', async () => {
  const reranker = createLateInteraction(readerOf([3]));
  // The passage has the direction of the heavy ones only; the light ones stand before, between and after them.
  const directions = Array.from({ length: 100 }, (_, at) => (at % 3 === 1 ? 3 : 5));
  const weights = directions.map((direction) => (direction === 3 ? 2 : 1));
  const many = await reranker.rerank(query(tokensOf(directions, weights)), passages);
  // 33 heavy ones, and 31 of the others.
  expect(many.scores[0]).toBeCloseTo((33 * 2) / (33 * 2 + 31));
  const few = tokensOf(directions.slice(0, 60), weights.slice(0, 60));
  expect((await reranker.rerank(query(few), passages)).scores[0]).toBeCloseTo((20 * 2) / (20 * 2 + 40));
});

test('it suits queries that have tokens, in the language of the model', () => {
  const reranker = createLateInteraction(readerOf([0]));
  const tokens = tokensOf([0], [1]);
  expect(reranker.suits(query(tokens))).toBe(true);
  expect(reranker.suits(query(undefined))).toBe(false);
  expect(reranker.suits(query(tokens, '東京はどこですか'))).toBe(false);
});

test('a query without tokens scores nothing, and the directions of the passages are told', async () => {
  const { scores, directions } = await createLateInteraction(readerOf([0])).rerank(query(undefined), passages);
  expect([scores, directions]).toEqual([[undefined], [Int8Array.of(7)]]);
});
