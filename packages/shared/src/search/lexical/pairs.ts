import { saturation } from './bm25.ts';
import { functionWords } from './function-words.ts';
import { knownStemOf, wordsOf } from './terms.ts';

/** Of the sum of stems and prefixes; measured with them. */
const pairWeight = 0.2;
/** As rare as a pair counts at most: as if it were in half a chunk. */
const rarestFrequency = 0.5;

/** The stems of a text's words but function words, in order. */
function stemsOf(text: string): string[] {
  const stems: string[] = [];
  for (const word of wordsOf(text)) if (!functionWords.has(word)) stems.push(knownStemOf(word));
  return stems;
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
  const wanted = new Map<string, Map<string, Pair>>();
  const stems = stemsOf(query);
  for (const [at, second] of stems.slice(1).entries()) {
    const first = stems[at] as string;
    const pair = { idf: Math.min(ceiling, statistics.idfOfStem(first) + statistics.idfOfStem(second)), count: 0 };
    const seconds = wanted.get(first);
    if (seconds) seconds.set(second, pair);
    else wanted.set(first, new Map([[second, pair]]));
  }
  if (wanted.size === 0) return () => 0;

  /** Adds to what was found; answers how many pairs the text has. */
  function count(found: Set<Pair>, text: string, times: number): number {
    const own = stemsOf(text);
    for (let at = 1; at < own.length; at += 1) {
      const pair = wanted.get(own[at - 1] as string)?.get(own[at] as string);
      if (!pair) continue;
      if (!found.has(pair)) pair.count = 0;
      found.add(pair);
      pair.count += times;
    }
    return Math.max(0, own.length - 1) * times;
  }

  return (title, text) => {
    const found = new Set<Pair>();
    const length = count(found, title, 2) + count(found, text, 1);
    let score = 0;
    for (const pair of found) score += pair.idf * saturation(pair.count, length, statistics.averageLength);
    return pairWeight * score;
  };
}

interface Pair {
  readonly idf: number;
  /** In the text at hand. */
  count: number;
}
