import type { Scope } from '../contracts/model/ids.ts';
import type { SearchRequest } from '../contracts/model/search.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { LexicalHit, LexicalIndex, LexicalRanking, LexicalTerm } from '../ports/lexical-index.ts';
import type { VectorHit, VectorIndex } from '../ports/vector-index.ts';
import { activeOf } from './candidates.ts';
import type { ChunkShelf } from './chunk-shelf.ts';
import { chunksAt } from './chunks-at.ts';
import type { DocumentTable, NamespaceTable } from './document-table.ts';
import { lexicalScale, placeOf, weightsOf } from './fuse.ts';
import { createPairScorer } from './lexical/pairs.ts';
import type { Phrases } from './lexical/phrases.ts';
import { statisticsOf } from './lexical/score.ts';
import { matchingDocuments } from './matching-documents.ts';
import { type Candidate, capPerDocument } from './rank.ts';
import { settled } from './settled.ts';

/** From each side; both scores are exact for all of them. */
export const candidatesPerSide = 100;
/** So many are ranked where the first are of too few documents; no more than `candidatesPerSide` of them are read. */
const mostForDocuments = 2000;
/** Of the best by words, what a search by meaning is given beside what the vector index finds. */
export const lookedForByMeaning = 20;
/** Of the best, whose texts are looked at for neighbouring words. */
const candidatesWithPairs = 50;

/** What a search by words stands on, and what it is asked. */
export interface WordSearch {
  readonly deps: {
    readonly table: DocumentTable;
    readonly vectors: VectorIndex;
    readonly lexical: LexicalIndex;
    readonly blobs: BlobStore;
    readonly shelf?: ChunkShelf | undefined;
  };
  readonly scope: Scope;
  readonly model: string;
  readonly table: NamespaceTable;
  readonly request: SearchRequest;
  readonly terms: readonly LexicalTerm[];
  /** What of the query is in quotes. */
  readonly phrases?: Phrases | undefined;
  /** Chunks whose texts and similarities are here already, by place. */
  readonly texts?: ReadonlyMap<string, VectorHit> | undefined;
}

/** What words have found. */
export interface WordRanking extends LexicalRanking {
  /** Whether no chunk with postings was left out for others being better. */
  readonly all: boolean;
}

/** How often the words are asked again because documents changed under the search. */
const maxRestarts = 3;

/**
 * The best chunks of active versions of documents that pass the filter, by words. A version that the table does not know
 * was committed or removed since it was read: the table is read again, and where that changes what may be found, so are
 * the words. A document that is being replaced is found in its old or its new version, never in neither.
 */
export async function rankByWords(search: WordSearch, limit = candidatesPerSide): Promise<WordRanking> {
  const { deps, scope, terms, request, phrases } = search;
  const required = phrases?.required;
  let { table } = search;
  for (let restarts = 0; ; restarts += 1) {
    const documents = await matchingDocuments(table, request.filter);
    const found = await deps.lexical.rank(scope, { terms, limit, documents, required });
    const ranking = { ...found, all: found.hits.length < limit };
    const isKnown = ({ documentId, version }: LexicalHit) => table.rows.get(documentId)?.activeVersion === version;
    if (restarts === maxRestarts || ranking.hits.every(isKnown)) return ranking;
    const { revision } = table;
    table = await deps.table.refresh(scope);
    if (!documents && table.revision !== revision && ranking.hits.every(isKnown)) return ranking;
  }
}

interface ByWords {
  readonly candidates: Candidate[];
  /** False where more than were looked at may be among those that were asked for. */
  readonly complete: boolean;
}

/**
 * The best chunks by words, best first; where a few long documents have taken all places and so many of each are not
 * wanted, those of others.
 * @param vector of the query; without one no similarity is known
 */
export async function byWordsAlone(
  search: WordSearch,
  ranking: WordRanking,
  vector: Float32Array | undefined,
  indexIsAway: boolean,
): Promise<ByWords> {
  const best = await readByWords(search, ranking, vector, indexIsAway);
  const { perDocument } = search.request;
  if (best.complete || perDocument === undefined || search.phrases) return best;
  const more = await rankByWords(search, mostForDocuments);
  const capped = capPerDocument(more.hits, perDocument);
  const hits = capped.slice(0, candidatesPerSide);
  return readByWords(search, { ...more, hits, all: more.all && hits.length === capped.length }, vector, indexIsAway);
}

async function readByWords(
  search: WordSearch,
  ranking: WordRanking,
  vector: Float32Array | undefined,
  indexIsAway: boolean,
): Promise<ByWords> {
  const { request } = search;
  const { hits: best } = ranking;
  const hits = await withTexts(search, best, vector, indexIsAway);
  const scores = new Map(best.map((hit) => [placeOf(hit), hit.score]));
  const scored = activeOf(hits, search.table)
    .map((candidate) => withLexical(candidate, scores.get(placeOf(candidate)) as number))
    .sort(byRelevance);
  const pairs = createPairScorer(request.query, statisticsOf(ranking, search.terms));
  const candidates = scored.map((candidate, at) =>
    at < candidatesWithPairs
      ? withLexical(candidate, candidate.lexical + pairs(candidate.row.title, candidate.text))
      : candidate,
  );
  const usable = candidates.filter(({ similarity }) => !vector || similarity >= (request.minScore ?? -1));
  const complete = ranking.all || capPerDocument(usable, request.perDocument).length >= request.topK;
  return { candidates, complete };
}

/**
 * The best by words that the vector index did not give, with their similarity. Its graph is an approximation: now and
 * then no path leads to a chunk, were it the query's own text (4 of 21,000 after twenty minutes of inserts and deletes).
 * @param most of the best, so many are looked at
 */
export async function unreachedByMeaning(
  search: WordSearch,
  { hits }: LexicalRanking,
  dense: readonly Candidate[],
  vector: Float32Array,
  most: number,
): Promise<Candidate[]> {
  const reached = new Set(dense.map(placeOf));
  const others = hits.slice(0, most).filter((hit) => !reached.has(placeOf(hit)));
  return activeOf(await withTexts(search, others, vector, false), search.table);
}

/**
 * Adds what words find to what meaning has found; each candidate gets both scores.
 * @returns undefined where the postings, or the texts of what they found, are away by now
 */
export async function addWords(
  search: WordSearch,
  ranking: LexicalRanking,
  dense: readonly Candidate[],
  vector: Float32Array,
): Promise<Candidate[] | undefined> {
  const { request, table, deps, scope } = search;
  const { hits: best } = ranking;
  const ranked = new Set(best.map(placeOf));
  const others = dense.filter((candidate) => !ranked.has(placeOf(candidate)));
  const also = await settled(deps.lexical.score(scope, search.terms, others));
  if (!also.value) return undefined;
  const known = new Set(dense.map(placeOf));
  const wordsOnly = best.filter((hit) => !known.has(placeOf(hit)));
  const scores = new Map(best.map((hit) => [placeOf(hit), hit.score]));
  for (const [at, candidate] of others.entries()) scores.set(placeOf(candidate), also.value[at] as number);
  const texts = await settled(withTexts(search, wordsOnly, vector, false));
  if (!texts.value) return undefined;
  const candidates = [...dense, ...activeOf(texts.value, table)];
  const weights = weightsOf(request.query, search.model);
  const statistics = statisticsOf(ranking, search.terms);
  const fuse = (lexicalOf: (candidate: Candidate) => number): ScoredCandidate[] => {
    const lexical = candidates.map(lexicalOf);
    const highest = lexical.reduce((most, score) => Math.max(most, score), 0);
    const scale = lexicalScale(highest, statistics.ideal, ranking.count, weights);
    return candidates.map((candidate, at) => {
      const score = lexical[at] as number;
      const parts = { lexical: score * scale, dense: weights.cosine * candidate.similarity };
      return { ...candidate, lexical: score, relevance: parts.lexical + parts.dense, parts };
    });
  };
  const lexicalOf = (candidate: Candidate) => scores.get(placeOf(candidate)) as number;
  const pairs = createPairScorer(request.query, statistics);
  // Neighbouring words only reorder: the best are enough, and their texts are read word by word.
  const readable = fuse(lexicalOf).sort(byRelevance).slice(0, candidatesWithPairs);
  const paired = new Map(readable.map((candidate) => [candidate.chunkId, pairs(candidate.row.title, candidate.text)]));
  return fuse((candidate) => lexicalOf(candidate) + (paired.get(candidate.chunkId) ?? 0));
}

/** With the score of its words, and what that makes of it. */
interface ScoredCandidate extends Candidate {
  readonly lexical: number;
  readonly relevance: number;
}

const withLexical = (candidate: Candidate, lexical: number): ScoredCandidate => ({
  ...candidate,
  lexical,
  relevance: lexical,
  parts: { lexical },
});

const byRelevance = (a: ScoredCandidate, b: ScoredCandidate) => b.relevance - a.relevance;

/** Texts and similarities of chunks that words have found. */
export async function withTexts(
  { deps, scope, model, table, texts }: WordSearch,
  found: readonly LexicalHit[],
  vector: Float32Array | undefined,
  indexIsAway: boolean,
): Promise<VectorHit[]> {
  const here = found.flatMap((hit) => texts?.get(placeOf(hit)) ?? []);
  const others = texts ? found.filter((hit) => !texts.has(placeOf(hit))) : found;
  return [...here, ...(await chunksAt(deps, { ...scope, model }, others, { vector, fromIndex: !indexIsAway, table }))];
}
