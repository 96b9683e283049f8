import type { ChunkAddress } from '../ports/lexical-index.ts';
import { isInModelsLanguage, isUnknownToModel } from './query-language.ts';

/*
 * Fusion of both sides: H = c · L / max(max L, s · Q) + w · cosine. Raw cosines keep their meaning where the embedding
 * model does not know a language; rank fusion would stretch its poor list to the same range as the good one
 * (docs/adr/0011). Q is what a chunk of average length with each of the query's words once would score: where even the
 * best match has a few of them only, words say less. c grows with the collection: in a small one it is chance which
 * words are rare.
 */

/** How much each side counts. Measured on cranfield, squad2 and xquad (es) with the shipped model. */
export interface Weights {
  /** w. The model's cosines spread by about 0.05; another model would need another. */
  readonly cosine: number;
  /** s. */
  readonly ideal: number;
}
const inLanguage: Weights = { cosine: 4, ideal: 1 };
const elsewhere: Weights = { cosine: 1, ideal: 0.5 };
/** Only so that chunks without any of the words have an order. With 2, Thai lost 0.018 of nDCG@10 to words alone. */
const unknown: Weights = { cosine: 0.05, ideal: 0.5 };
const shippedModel = 'bge-small-en-v1.5-int8';
/** Chunks of a collection in which words count half as much as in a very large one. */
const halfConfidence = 25;

/** @param model of the namespace: other models than the shipped one may know all scripts */
export function weightsOf(query: string, model: string): Weights {
  if (model === shippedModel && isUnknownToModel(query)) return unknown;
  return isInModelsLanguage(query) ? inLanguage : elsewhere;
}

/**
 * What one point of a lexical score is worth.
 * @param best the highest lexical score among the candidates
 * @param ideal Q
 * @param count chunks in the collection
 */
export function lexicalScale(best: number, ideal: number, count: number, weights: Weights): number {
  const most = Math.max(best, weights.ideal * ideal);
  return most > 0 ? count / (count + halfConfidence) / most : 0;
}

/** Where a chunk lies, as one text. */
export const placeOf = ({ documentId, version, index }: ChunkAddress): string => `${documentId}@${version}#${index}`;
