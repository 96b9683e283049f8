import type { HitChunk, SearchHit, SearchRequest } from '../contracts/model/search.ts';
import type { VectorHit } from '../ports/vector-index.ts';
import { explain, sideRanks } from './explain.ts';
import type { Found } from './find.ts';
import { highlight } from './highlight.ts';
import type { Passage } from './neighbours.ts';
import { createQueryWords } from './query-words.ts';

/** The hits as they are answered: each with its place, what to mark in it, and where wanted, why it is there. */
export function showHits(
  passages: readonly Passage[],
  request: SearchRequest,
  { candidates, query, idfOfStem }: Pick<Found, 'candidates' | 'query' | 'idfOfStem'>,
): SearchHit[] {
  const words = createQueryWords(request.query, idfOfStem);
  const ranks = request.explain ? sideRanks(candidates) : undefined;
  const embedded = query !== undefined;
  return passages.map((passage, at) => {
    const { hit, text, start, end } = passage;
    return {
      chunkId: hit.chunkId,
      documentId: hit.documentId,
      version: hit.version,
      title: hit.row.title,
      text,
      score: hit.score,
      similarity: hit.similarity,
      ...(hit.page === undefined ? {} : { page: hit.page }),
      headings: [...hit.headings],
      span: { start, end },
      highlights: request.highlight ? highlight(words, passage) : [],
      metadata: hit.row.metadata,
      ...(request.neighbours ? { chunks: passage.chunks.map(toHitChunk) } : {}),
      ...(ranks ? { explain: explain(passage, { rank: at + 1, ranks, words, embedded }) } : {}),
    };
  });
}

const toHitChunk = ({ chunkId, page, start, end }: VectorHit): HitChunk => ({
  chunkId,
  ...(page === undefined ? {} : { page }),
  span: { start, end },
});
