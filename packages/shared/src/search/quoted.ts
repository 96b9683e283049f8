import type { VectorHit } from '../ports/vector-index.ts';
import { placeOf } from './fuse.ts';
import type { Phrases } from './lexical/phrases.ts';
import { rankByWords, type WordRanking, type WordSearch, withTexts } from './words.ts';

/** Of the chunks that have all words of the phrases, so many of the best are read where the first do not tell. */
const mostRead = 2000;
/** Where they have to come from the blob store. */
const mostReadThere = 500;

/**
 * Of a ranking whose chunks have all words of the phrases those that have the phrases, in its order.
 * @param first the best by words
 * @param vector of the query; without one no similarity is known
 * @returns the chunks' texts and similarities too, by place
 */
export async function withPhrases(
  search: WordSearch,
  phrases: Phrases,
  first: WordRanking,
  vector: Float32Array | undefined,
): Promise<{ ranking: WordRanking; texts: ReadonlyMap<string, VectorHit> }> {
  const texts = new Map<string, VectorHit>();
  const read = async (ranking: WordRanking): Promise<WordRanking> => {
    for (const hit of await withTexts({ ...search, texts }, ranking.hits, vector, false)) texts.set(placeOf(hit), hit);
    return { ...ranking, hits: ranking.hits.filter((hit) => phrases.areIn(texts.get(placeOf(hit))?.text ?? '')) };
  };
  const best = await read(first);
  if (first.all) return { ranking: best, texts };
  return { ranking: await read(await rankByWords(search, vector ? mostRead : mostReadThere)), texts };
}
