import { afterEach, expect, jest, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { Clock } from '../ports/clock.ts';
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

const createResults = (clock: Clock = { now: () => 1_000_000 }) => {
  const cache = createInMemoryCache(clock);
  return createResultCache({ cache, clock, freshMs: 1000, embeddingFreshMs: 1000, graceMs: 1000 });
};

afterEach(() => {
  jest.useRealTimers();
});

test('a model that does not answer is waited for ten seconds, with a cache and without', async () => {
  const { embedder } = createModel({ tokens: false });
  let stopped = 0;
  embedder.embedQuery = (_text, signal) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        stopped += 1;
        reject(signal.reason);
      });
    });
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  for (const results of [undefined, createResults()]) {
    for (const signal of [undefined, new AbortController().signal]) {
      const embedded = embedQueryText(results, 'acme', embedder, 'pines', signal);
      let isOver = false;
      const outcome = embedded.finally(() => (isOver = true)).catch((error: unknown) => error);
      await jest.advanceTimersByTimeAsync(9_900);
      expect(isOver).toBe(false);
      await jest.advanceTimersByTimeAsync(200);
      expect(await outcome).toMatchObject({
        ...{ code: 'dependency_unavailable', message: 'The embedding model has not answered within 10 seconds.' },
      });
    }
  }
  expect(stopped).toBe(4);
});

test('who leaves ends the wait, and is told nothing of the model', async () => {
  const { embedder } = createModel({ tokens: false });
  embedder.embedQuery = (_text, signal) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  const leaving = new AbortController();
  const embedded = embedQueryText(undefined, 'acme', embedder, 'pines', leaving.signal);
  leaving.abort(new Error('left'));
  await expect(embedded).rejects.toThrow('left');
});

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

test('past its time a vector is as true as ever: it is given while the model is away', async () => {
  const clock = { time: 1_000_000, now: () => clock.time };
  const results = createResults(clock);
  const { embedder } = createModel({ tokens: false });
  await embedQueryText(results, 'acme', embedder, 'pines');
  embedder.embedQuery = () => Promise.reject(new MemoryError('dependency_unavailable', 'It is away.'));
  clock.time += 1500;
  expect(await embedQueryText(results, 'acme', embedder, 'pines')).toEqual({ vector });
  await expect(embedQueryText(results, 'acme', embedder, 'oaks')).rejects.toThrow('It is away.');
});
