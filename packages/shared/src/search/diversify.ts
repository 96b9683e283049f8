import type { CollectionKey } from '../ports/vector-index.ts';
import { cosine } from './cosine.ts';
import { type PassageVectorDeps, passageVectors } from './passage-vectors.ts';
import type { RankedCandidate } from './rank.ts';

/** Among how many of the best is chosen: times the hits wanted, and at least. */
export const poolSize = (topK: number) => Math.max(topK * 4, 50);

/**
 * Chooses hits that are good and unlike each other, with the vectors of the passages: one more call of the vector index.
 * @param pool best first
 * @returns undefined where the vectors cannot be had
 */
export async function diversify(
  deps: PassageVectorDeps,
  key: CollectionKey,
  pool: readonly RankedCandidate[],
  wanted: { readonly topK: number; readonly diversity: number },
): Promise<RankedCandidate[] | undefined> {
  const found = await passageVectors(deps, key, pool);
  const vectors = pool.flatMap(({ chunkId }) => found.get(chunkId) ?? []);
  return vectors.length === pool.length ? maximalMarginalRelevance(pool, vectors, wanted) : undefined;
}

/**
 * Maximal marginal relevance (Carbonell and Goldstein 1998): again and again the candidate with the highest
 * `(1 − d) · score − d · range · (largest cosine with one that was chosen)`, which becomes its score. `range` is by how
 * much the scores differ, so that both terms have the same unit, whatever the scores are made of. What was chosen later
 * never scores higher, since every choice only adds likenesses. Of two alike the one that ranked higher.
 *
 * @param pool best first
 * @param vectors of the pool, in its order
 * @param wanted.diversity d, from 0 (the order of the scores) to 1
 */
export function maximalMarginalRelevance(
  pool: readonly RankedCandidate[],
  vectors: readonly Float32Array[],
  { topK, diversity }: { readonly topK: number; readonly diversity: number },
): RankedCandidate[] {
  const range = (pool[0]?.score ?? 0) - (pool.at(-1)?.score ?? 0) || 1;
  const likest = pool.map((): RankedCandidate['likest'] => undefined);
  const at = (place: number) => pool[place] as RankedCandidate;
  const marginal = (place: number) =>
    (1 - diversity) * at(place).score - diversity * range * Math.max(0, likest[place]?.similarity ?? 0);
  const left = new Set(pool.keys());
  const chosen: RankedCandidate[] = [];
  while (chosen.length < topK && left.size > 0) {
    let best = -1;
    for (const place of left) if (best < 0 || marginal(place) > marginal(best)) best = place;
    left.delete(best);
    const before = likest[best];
    chosen.push({ ...at(best), score: marginal(best), ...(before ? { likest: before } : {}) });
    const { chunkId } = at(best);
    for (const place of left) {
      const similarity = cosine(vectors[best] as Float32Array, vectors[place] as Float32Array);
      if (similarity > (likest[place]?.similarity ?? Number.NEGATIVE_INFINITY)) likest[place] = { chunkId, similarity };
    }
  }
  return chosen;
}
