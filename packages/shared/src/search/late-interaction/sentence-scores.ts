import type { Span } from '../../contracts/model/ids.ts';
import type { QueryTokens } from '../../ports/embedder.ts';
import { createMaxSim } from './max-sim.ts';
import type { TokenVectorReader, WantedChunk } from './token-vectors.ts';

/** MaxSim of a passage with its title, and of sentences of it; undefined where there are no token vectors. */
export interface PassageScores {
  readonly passage: number | undefined;
  readonly sentences: readonly (number | undefined)[];
}

/**
 * How well passages and their sentences answer the query of a search: MaxSim over each one's own tokens, as they were
 * embedded in the passage. `chunkId` is of a hit of that search, `spans` are in the document's text; the answer is in the
 * same order. Never throws for what is missing.
 */
export type SentenceScorer = (
  asked: readonly { readonly chunkId: string; readonly spans: readonly Span[] }[],
) => Promise<readonly PassageScores[]>;

/** An answer can wait longer for a better sentence than a search can. */
const waitMs = 500;

/** @param hits where each hit's text begins in its document's */
export function createSentenceScorer(
  tokenVectors: TokenVectorReader,
  { tenant, model }: { readonly tenant: string; readonly model: string },
  query: QueryTokens,
  hits: readonly (WantedChunk & { readonly chunkId: string; readonly start: number })[],
): SentenceScorer {
  const byId = new Map(hits.map((hit) => [hit.chunkId, hit]));
  return async (asked) => {
    const known = asked.flatMap(({ chunkId }) => byId.get(chunkId) ?? []);
    const found = await tokenVectors.read(tenant, model, known, waitMs);
    const tokens = new Map(known.map(({ chunkId }, at) => [chunkId, found[at]]));
    const maxSim = createMaxSim(query);
    return asked.map(({ chunkId, spans }) => {
      const passage = tokens.get(chunkId);
      const textStart = byId.get(chunkId)?.start ?? 0;
      const sentences = spans.map(({ start, end }) => {
        if (!passage) return undefined;
        const { starts, scales, values } = passage;
        const width = values.length / scales.length;
        const from = firstAtOrAfter(starts, start - textStart);
        const to = firstAtOrAfter(starts, end - textStart);
        return maxSim({ scales: scales.subarray(from, to), values: values.subarray(from * width, to * width) });
      });
      return { passage: passage && maxSim(passage), sentences };
    });
  };
}

/** The first token that does not begin before a place of the chunk's text. Tokens before the text begin below 0. */
function firstAtOrAfter(starts: Int32Array, place: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
