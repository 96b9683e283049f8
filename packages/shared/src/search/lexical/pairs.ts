import { saturation } from './bm25.ts';
import { functionWords } from './function-words.ts';
import { stemOf, wordsOf } from './terms.ts';

/** Of the sum of stems and prefixes; measured with them. */
const pairWeight = 0.2;
/** As rare as a pair counts at most: as if it were in half a chunk. */
const rarestFrequency = 0.5;

function pairsOf(text: string): string[] {
  const stems = wordsOf(text)
    .filter((word) => !functionWords.has(word))
    .map(stemOf);
  return stems.slice(1).map((stem, index) => `${stems[index]} ${stem}`);
}

/**
 * Scores how many of the query's neighbouring words are neighbours in a text, by BM25. There are no postings of pairs:
 * they only reorder what was found, so the few candidates' own texts are read. A pair's idf is the sum of its stems',
 * as good as its own (measured), and at most that of a pair in half a chunk.
 */
export function createPairScorer(
  query: string,
  statistics: {
    readonly idfOfStem: (stem: string) => number;
    readonly idfOfFrequency: (frequency: number) => number;
    readonly averageLength: number;
  },
): (title: string, text: string) => number {
  const ceiling = statistics.idfOfFrequency(rarestFrequency);
  const wanted = new Map<string, number>();
  for (const pair of pairsOf(query)) {
    const [first = '', second = ''] = pair.split(' ');
    wanted.set(pair, Math.min(ceiling, statistics.idfOfStem(first) + statistics.idfOfStem(second)));
  }
  if (wanted.size === 0) return () => 0;
  return (title, text) => {
    const pairs = [...pairsOf(title), ...pairsOf(title), ...pairsOf(text)];
    const counts = new Map<string, number>();
    for (const pair of pairs) if (wanted.has(pair)) counts.set(pair, (counts.get(pair) ?? 0) + 1);
    let score = 0;
    for (const [pair, count] of counts)
      score += (wanted.get(pair) ?? 0) * saturation(count, pairs.length, statistics.averageLength);
    return pairWeight * score;
  };
}
