import { expect, test } from '@jest/globals';
import type { Embedder } from '../ports/embedder.ts';
import { createInMemoryCache } from '../testing/in-memory-cache.ts';
import { embedQueryText } from './embed-query-text.ts';
import { createResultCache } from './result-cache.ts';

const vector = Float32Array.of(0.6, -0.8);
const tokens = {
  values: Int8Array.of(127, -3, 0, -128),
  scales: Float32Array.of(0.007, 0.25),
  weights: Float32Array.of(1.5, 9.75),
};

/** A model that counts how often it was asked. */
function createModel(gives: { tokens: boolean }) {
  const asked = { vectors: 0, tokens: 0 };
  const embedder = {
    model: 'm',
    embedQuery: async () => {
      asked.vectors += 1;
      return vector;
    },
    ...(gives.tokens
      ? {
          lateInteraction: {
            embedQuery: async () => {
              asked.tokens += 1;
              return { vector, tokens };
            },
          },
        }
      : {}),
  };
  return { embedder: embedder as unknown as Embedder, asked };
}

const createResults = () => {
  const clock = { now: () => 1_000_000 };
  const cache = createInMemoryCache(clock);
  return createResultCache({ cache, clock, freshMs: 1000, embeddingFreshMs: 1000, graceMs: 1000 });
};

test('a query that was asked before has the same vectors again, without the model', async () => {
  const { embedder, asked } = createModel({ tokens: true });
  const results = createResults();
  const first = await embedQueryText(results, 'acme', embedder, 'pines');
  const second = await embedQueryText(results, 'acme', embedder, 'pines');
  expect(first).toEqual({ vector, tokens });
  expect(second).toEqual({ vector, tokens });
  expect(asked).toEqual({ vectors: 0, tokens: 1 });
  await embedQueryText(results, 'other', embedder, 'pines');
  expect(asked.tokens).toBe(2);
});

test('what was kept without token vectors is not given where they are wanted', async () => {
  const results = createResults();
  const plain = createModel({ tokens: false });
  expect(await embedQueryText(results, 'acme', plain.embedder, 'pines')).toEqual({ vector });
  const { embedder, asked } = createModel({ tokens: true });
  expect(await embedQueryText(results, 'acme', embedder, 'pines')).toEqual({ vector, tokens });
  expect(asked.tokens).toBe(1);
});
