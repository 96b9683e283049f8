/*
 * Okapi BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009), with the idf that stays positive
 * for terms in more than half of the chunks.
 */
const k1 = 1.2;
const b = 0.75;

/** @param frequency of chunks with the term, of `count` in all */
export function idf(count: number, frequency: number): number {
  return Math.log(1 + (count - frequency + 0.5) / (frequency + 0.5));
}

/** How much `occurrences` of a term in a chunk of `length` words weigh, without the idf. */
export function saturation(occurrences: number, length: number, averageLength: number): number {
  return (occurrences * (k1 + 1)) / (occurrences + k1 * (1 - b + (b * length) / averageLength));
}
