import type { QueryTokens } from '../../ports/embedder.ts';
import type { Reranker } from '../../ports/reranker.ts';
import { isInModelsLanguage } from '../query-language.ts';
import { createMaxSim } from './max-sim.ts';
import type { TokenVectorReader } from './token-vectors.ts';

/** How long a search waits for token vectors that are not in memory. */
const waitMs = 25;
/** Of a query that is longer, the heaviest tokens count: each costs 2 µs a passage. */
const maxQueryTokens = 64;

/**
 * Late interaction as a reranker: compares the query's tokens with those of the passages, which the embedding model gave
 * when they were ingested. Only for queries in the model's language: of others its tokens say nothing.
 *
 * @param options.depth measured on cranfield and squad2 (docs/adr/0014)
 * @param options.weight of MaxSim beside max-normalised BM25 and 4 · cosine
 */
export function createLateInteraction(
  tokenVectors: TokenVectorReader,
  { depth = 50, weight = 4 }: { readonly depth?: number; readonly weight?: number } = {},
): Reranker {
  return {
    depth,
    weight,
    suits: ({ text, tokens }) => tokens !== undefined && isInModelsLanguage(text),
    rerank: async ({ tenant, model, tokens }, passages) => {
      const found = await tokenVectors.read(tenant, model, passages, waitMs);
      const maxSim = tokens && createMaxSim(heaviest(tokens, maxQueryTokens));
      return {
        scores: found.map((passage) => passage && maxSim?.(passage)),
        directions: found.map((passage) => passage?.direction),
      };
    },
  };
}

/** The tokens of a query that weigh most, all where they are few. */
function heaviest({ values, scales, weights }: QueryTokens, limit: number): QueryTokens {
  if (weights.length <= limit) return { values, scales, weights };
  const width = values.length / weights.length;
  const order = Array.from(weights, (_, token) => token);
  const chosen = order.sort((a, b) => (weights[b] as number) - (weights[a] as number)).slice(0, limit);
  const kept = new Int8Array(limit * width);
  chosen.forEach((token, row) => {
    kept.set(values.subarray(token * width, (token + 1) * width), row * width);
  });
  return {
    values: kept,
    scales: Float32Array.from(chosen, (token) => scales[token] as number),
    weights: Float32Array.from(chosen, (token) => weights[token] as number),
  };
}
