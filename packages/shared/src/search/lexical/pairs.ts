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
  const mayBegin = createBeginnings([...wanted.keys()]);

  /** Adds to what was found. */
  function count(found: Set<Pair>, words: readonly string[], times: number): void {
    for (let at = 0; at < words.length; at += 1) {
      const first = words[at] as string;
      if (!mayBegin(first)) continue;
      const seconds = wanted.get(knownStemOf(first));
      if (!seconds || functionWords.has(first)) continue;
      let next = at + 1;
      while (next < words.length && functionWords.has(words[next] as string)) next += 1;
      const pair = next < words.length ? seconds.get(knownStemOf(words[next] as string)) : undefined;
      if (!pair) continue;
      if (!found.has(pair)) pair.count = 0;
      found.add(pair);
      pair.count += times;
    }
  }

  return (title, text) => {
    const found = new Set<Pair>();
    const titleWords = wordsOf(title);
    const textWords = wordsOf(text);
    count(found, titleWords, 2);
    count(found, textWords, 1);
    if (found.size === 0) return 0;
    const length = 2 * pairsIn(titleWords) + pairsIn(textWords);
    let score = 0;
    for (const pair of found) score += pair.idf * saturation(pair.count, length, statistics.averageLength);
    return pairWeight * score;
  };
}

const pairsIn = (words: readonly string[]): number =>
  Math.max(0, words.filter((word) => !functionWords.has(word)).length - 1);

const letters = 128;

/**
 * Whether a word may have one of the stems, by its first two letters: most of a text need not be looked up. A stem keeps
 * them, but for `y` (dying, die), for stems of one letter, and in languages whose letters are not ASCII.
 */
function createBeginnings(stems: readonly string[]): (word: string) => boolean {
  if (stems.some((stem) => stem.length < 2)) return () => true;
  const wanted = new Uint8Array(letters * letters);
  for (const stem of stems) {
    const at = beginningOf(stem);
    if (at < wanted.length) wanted[at] = 1;
  }
  return (word) => {
    const at = beginningOf(word);
    return at >= wanted.length || word.charCodeAt(1) === y || wanted[at] === 1;
  };
}

const y = 'y'.charCodeAt(0);

/** Below the square of `letters` for two that are ASCII. */
function beginningOf(word: string): number {
  const [first, second] = [word.charCodeAt(0), word.charCodeAt(1)];
  return first < letters && second < letters ? first * letters + second : letters * letters;
}

interface Pair {
  readonly idf: number;
  /** In the text at hand. */
  count: number;
}
