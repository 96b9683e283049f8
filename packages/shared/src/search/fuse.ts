import type { LexicalHit } from './lexical/score.ts';

/*
 * Fusion of both sides: H = L / max(L) + w · cosine. Raw cosines keep their meaning where the embedding model does not
 * know a language; rank fusion would stretch its poor list to the same range as the good one (docs/adr/0011-words-in-packed-postings.md).
 */

/** Of letters in ASCII, from which on a query counts as one in the model's language. */
const asciiShare = 0.8;
/** The model's cosines spread by about 0.05; another model would need other weights. */
const weightInLanguage = 4;
const weightElsewhere = 2;

/** How much a cosine counts against the best lexical score. */
export function cosineWeight(query: string): number {
  const letters = query.match(/\p{L}/gu) ?? [];
  const ascii = letters.filter((letter) => letter.charCodeAt(0) < 128).length;
  return ascii >= letters.length * asciiShare ? weightInLanguage : weightElsewhere;
}

/** @param bestLexical the highest lexical score among the candidates; 0 where no word matches any */
export function fused(lexical: number, bestLexical: number, similarity: number, weight: number): number {
  return (bestLexical > 0 ? lexical / bestLexical : 0) + weight * similarity;
}

/** Where a chunk lies, as one text. */
export const placeOf = ({ documentId, version, index }: Omit<LexicalHit, 'score'>): string =>
  `${documentId}@${version}#${index}`;
