/** Grade of relevance by document; absent and 0 are not relevant. */
export type Judgements = ReadonlyMap<string, number>;

/**
 * Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002) as trec_eval's `ndcg_cut`: the gain is the grade,
 * the discount log2(rank + 1), the ideal ranking that of all judged documents.
 * @param ranking documents, best first, each once
 * @returns 0 to 1; NaN where nothing is relevant
 */
export function ndcg(ranking: readonly string[], judgements: Judgements, depth: number): number {
  const ideal = [...judgements.values()].filter((grade) => grade > 0).sort((a, b) => b - a);
  const gains = ranking.map((document) => Math.max(0, judgements.get(document) ?? 0));
  return discounted(gains, depth) / discounted(ideal, depth);
}

function discounted(gains: readonly number[], depth: number): number {
  return gains.slice(0, depth).reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);
}

/** The share of all relevant documents among the first `depth`. NaN where nothing is relevant. */
export function recall(ranking: readonly string[], judgements: Judgements, depth: number): number {
  const relevant = [...judgements.values()].filter((grade) => grade > 0).length;
  const found = ranking.slice(0, depth).filter((document) => (judgements.get(document) ?? 0) > 0).length;
  return found / relevant;
}

/** One over the rank of the first relevant document, 0 where none is among the first `depth`. */
export function reciprocalRank(ranking: readonly string[], judgements: Judgements, depth: number): number {
  const index = ranking.slice(0, depth).findIndex((document) => (judgements.get(document) ?? 0) > 0);
  return index < 0 ? 0 : 1 / (index + 1);
}
