import type { Scope } from '../contracts/model/ids.ts';
import type { SearchRequest } from '../contracts/model/search.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Postings } from '../ports/lexical-index.ts';
import type { VectorHit, VectorIndex } from '../ports/vector-index.ts';
import { activeOf } from './candidates.ts';
import { chunksAt } from './chunks-at.ts';
import type { NamespaceTable } from './document-table.ts';
import { compileFilter } from './filter.ts';
import { lexicalScale, placeOf, weightsOf } from './fuse.ts';
import { createPairScorer } from './lexical/pairs.ts';
import { type LexicalHit, type QueryTerm, scoreLexically, statisticsOf } from './lexical/score.ts';
import { type Candidate, capPerDocument } from './rank.ts';

/** From each side; both scores are exact for all of them. */
export const candidatesPerSide = 100;
/** Of the best, whose texts are looked at for neighbouring words. */
const candidatesWithPairs = 50;

/** What a search by words stands on, and what it is asked. */
export interface WordSearch {
  readonly deps: { readonly vectors: VectorIndex; readonly blobs: BlobStore };
  readonly scope: Scope;
  readonly model: string;
  readonly table: NamespaceTable;
  readonly request: SearchRequest;
  readonly terms: readonly QueryTerm[];
}

/**
 * The best chunks by words, best first.
 * @param vector of the query; without one no similarity is known
 * @returns `complete` is false where more than were looked at may be among those that were asked for
 */
export async function byWordsAlone(
  search: WordSearch,
  postings: Postings,
  vector: Float32Array | undefined,
  indexIsAway: boolean,
): Promise<{ candidates: Candidate[]; complete: boolean }> {
  const { request } = search;
  const { best } = bestByWords(search, postings);
  const hits = await withTexts(search, best, vector, indexIsAway);
  const scores = new Map(best.map((hit) => [placeOf(hit), hit.score]));
  const scored = activeOf(hits, search.table)
    .map((candidate) => withLexical(candidate, scores.get(placeOf(candidate)) ?? 0))
    .sort(byRelevance);
  const pairs = createPairScorer(request.query, statisticsOf(postings, search.terms));
  const candidates = scored.map((candidate, at) =>
    at < candidatesWithPairs
      ? withLexical(candidate, (candidate.lexical ?? 0) + pairs(candidate.row.title, candidate.text))
      : candidate,
  );
  const usable = candidates.filter(({ similarity }) => !vector || similarity >= (request.minScore ?? -1));
  const complete =
    best.length < candidatesPerSide || capPerDocument(usable, request.perDocument).length >= request.topK;
  return { candidates, complete };
}

/** Adds what words find to what meaning has found; each candidate gets both scores. */
export async function addWords(
  search: WordSearch,
  postings: Postings,
  dense: readonly Candidate[],
  vector: Float32Array,
): Promise<Candidate[]> {
  const { request, table } = search;
  const { best, also } = bestByWords(search, postings, dense);
  const known = new Set(dense.map(placeOf));
  const wordsOnly = best.filter((hit) => !known.has(placeOf(hit)));
  const scores = new Map(best.map((hit) => [placeOf(hit), hit.score]));
  dense.forEach((candidate, at) => {
    scores.set(placeOf(candidate), also[at] ?? 0);
  });
  const candidates = [...dense, ...activeOf(await withTexts(search, wordsOnly, vector, false), table)];
  const weights = weightsOf(request.query);
  const statistics = statisticsOf(postings, search.terms);
  const fuse = (lexicalOf: (candidate: Candidate) => number): Candidate[] => {
    const lexical = candidates.map(lexicalOf);
    const highest = lexical.reduce((most, score) => Math.max(most, score), 0);
    const scale = lexicalScale(highest, statistics.ideal, postings.count, weights);
    return candidates.map((candidate, at) => {
      const score = lexical[at] ?? 0;
      return { ...candidate, lexical: score, relevance: score * scale + weights.cosine * candidate.similarity };
    });
  };
  const lexicalOf = (candidate: Candidate) => scores.get(placeOf(candidate)) ?? 0;
  const pairs = createPairScorer(request.query, statistics);
  // Neighbouring words only reorder: the best are enough, and their texts are read word by word.
  const readable = fuse(lexicalOf).sort(byRelevance).slice(0, candidatesWithPairs);
  const paired = new Map(readable.map((candidate) => [candidate.chunkId, pairs(candidate.row.title, candidate.text)]));
  return fuse((candidate) => lexicalOf(candidate) + (paired.get(candidate.chunkId) ?? 0));
}

/** The chunks of active versions of documents that pass the filter, by words. */
function bestByWords(search: WordSearch, postings: Postings, also: readonly Candidate[] = []) {
  const { table, request } = search;
  const matches = request.filter ? compileFilter(request.filter) : () => true;
  return scoreLexically(postings, search.terms, {
    limit: candidatesPerSide,
    accepts: (documentId, version) => {
      const row = table.rows.get(documentId);
      return row !== undefined && row.activeVersion === version && matches(row);
    },
    also,
  });
}

const withLexical = (candidate: Candidate, lexical: number): Candidate => ({
  ...candidate,
  lexical,
  relevance: lexical,
});

const byRelevance = (a: Candidate, b: Candidate) => (b.relevance ?? 0) - (a.relevance ?? 0);

/** Texts and similarities of chunks that words have found. */
const withTexts = (
  { deps, scope, model }: WordSearch,
  found: readonly LexicalHit[],
  vector: Float32Array | undefined,
  indexIsAway: boolean,
): Promise<VectorHit[]> => chunksAt(deps, { ...scope, model }, found, { vector, fromIndex: !indexIsAway });
