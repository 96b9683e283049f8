import { MemoryError } from '../contracts/errors.ts';
import type { Scope } from '../contracts/model/ids.ts';
import type { SearchMode, SearchRequest } from '../contracts/model/search.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Embedder, QueryTokens } from '../ports/embedder.ts';
import type { LexicalIndex, LexicalRanking, LexicalTerm } from '../ports/lexical-index.ts';
import type { Reranker } from '../ports/reranker.ts';
import type { CollectionKey, VectorIndex } from '../ports/vector-index.ts';
import { candidatesAt } from './as-of.ts';
import { activeCandidates, type Candidates } from './candidates.ts';
import type { ChunkShelf } from './chunk-shelf.ts';
import type { DocumentTable, NamespaceTable } from './document-table.ts';
import { embedQueryText } from './embed-query-text.ts';
import { weightsOf } from './fuse.ts';
import { phrasesOf } from './lexical/phrases.ts';
import { queryTerms, statisticsOf } from './lexical/score.ts';
import { withPhrases } from './quoted.ts';
import type { Candidate } from './rank.ts';
import { rerank } from './rerank.ts';
import type { ResultCache } from './result-cache.ts';
import { type Settled, settled } from './settled.ts';
import { askSides } from './sides.ts';
import {
  addWords,
  byWordsAlone,
  candidatesPerSide,
  lookedForByMeaning,
  unreachedByMeaning,
  type WordRanking,
  type WordSearch,
} from './words.ts';

export interface FindDeps {
  readonly table: DocumentTable;
  readonly vectors: VectorIndex;
  readonly lexical: LexicalIndex;
  readonly blobs: BlobStore;
  /** Where absent, every chunk is read from the index. */
  readonly shelf?: ChunkShelf | undefined;
  /** The embedder of a model, or undefined where this process has none for it. */
  readonly embedderFor: (model: string) => Embedder | undefined;
  /** Where absent, nothing is remembered. */
  readonly results?: ResultCache | undefined;
  /** Looks at the best again; without one they stay in the order of the fusion. */
  readonly reranker?: Reranker | undefined;
}

/** A query as the namespace's model sees it. */
export interface EmbeddedQuery {
  readonly embedder: Embedder;
  readonly vector: Float32Array;
  /** Where the model gives them. */
  readonly tokens?: QueryTokens | undefined;
}

export interface Found {
  readonly candidates: readonly Candidate[];
  /** What answered, which is less than what was asked for where something is away. */
  readonly mode: SearchMode;
  readonly degraded: readonly string[];
  readonly query?: EmbeddedQuery | undefined;
  /** How rare the stems of the query are; 0 for others. Absent where words were not asked. */
  readonly idfOfStem?: ((stem: string) => number) | undefined;
}

/**
 * Finds chunks of active versions by meaning, by words, or by both. Where the model or the vector index is away, by
 * words alone; where the postings are, by meaning alone.
 * @param key with the model that the search stays with: the table may get another one meanwhile
 * @throws MemoryError `dependency_unavailable` where neither side can be had, `cancelled` by `signal`
 */
export async function find(
  deps: FindDeps,
  key: CollectionKey,
  table: NamespaceTable,
  request: SearchRequest,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const found = await findFirst(deps, key, table, request, signal);
  return lookCloser(deps, key, request, found, signal);
}

async function findFirst(
  deps: FindDeps,
  { model, ...scope }: CollectionKey,
  table: NamespaceTable,
  request: SearchRequest,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const phrases = phrasesOf(request.query);
  const terms = queryTerms(request.query, phrases?.required);
  const asked: Search = { deps, scope, model, table, request, terms, phrases };
  const isHybrid = request.mode === 'hybrid';
  const nearest = (vector: Float32Array) => {
    const atLeast = isHybrid ? candidatesPerSide : lookedAtAgain(deps, request);
    return settled(activeCandidates(deps, { ...scope, model }, table, vector, request, signal, { atLeast }));
  };
  // First, since the model is a process of its own: what words need is done while it is at the query.
  const embedding = settled(embed(deps, scope, model, request.query, signal));
  const { query, best, near, read } = await askSides(asked, embedding, nearest, signal);
  const { ranking, search } = await obeyPhrases(read, best, query.value?.vector);
  if (request.mode === 'lexical') return byWords(search, ranking, query.value, reasonOf(query));
  if (!query.value) return byWords(search, ranking, undefined, 'embedder_unavailable', query);

  const { vector } = query.value;
  const idfOfStem = idfOfStemOf(ranking, terms);
  // What is in quotes and in no more chunks than were looked at needs no search by meaning, only the similarities.
  const knowsAll = phrases !== undefined && ranking.value?.all === true && ranking.value.whole;
  const dense = near ?? (knowsAll ? { value: nothingMore } : await nearest(vector));
  if (!dense.value) return byWords(search, ranking, query.value, 'vector_index_unavailable', dense);
  const degraded = degradedOf(dense.value);
  const { candidates } = dense.value;
  if (!isHybrid) {
    const most = phrases ? Number.POSITIVE_INFINITY : lookedForByMeaning;
    const unreached =
      ranking.value && (await settled(unreachedByMeaning(search, ranking.value, candidates, vector, most)));
    const all = [...candidates, ...(unreached?.value ?? [])];
    return { candidates: all, mode: 'dense', degraded, query: query.value, idfOfStem };
  }
  const both = ranking.value && (await addWords(search, ranking.value, candidates, vector));
  if (!both) {
    return { candidates, mode: 'dense', degraded: [...degraded, 'lexical_index_unavailable'], query: query.value };
  }
  const reasons = new Set([...degraded, ...lackingOf(ranking.value)]);
  return { candidates: both, mode: 'hybrid', degraded: [...reasons], query: query.value, idfOfStem };
}

const nothingMore: Candidates = { candidates: [], complete: true };

/** Leaves of what words have found the chunks that have the phrases, whose texts it reads for that. */
async function obeyPhrases(
  search: Search,
  best: Settled<WordRanking>,
  vector: Float32Array | undefined,
): Promise<{ ranking: Settled<WordRanking>; search: Search }> {
  const { phrases } = search;
  if (!phrases || !best.value) return { ranking: best, search };
  const read = await settled(withPhrases(search, phrases, best.value, vector));
  if (!read.value) return { ranking: { away: read.away }, search };
  const { texts } = read.value;
  return { ranking: { value: read.value.ranking }, search: { ...search, texts } };
}

/** As `find`, among the versions that were active at a moment, by meaning only: there are no postings of the past. */
export async function findAt(
  atMs: number,
  deps: FindDeps,
  key: CollectionKey,
  table: NamespaceTable,
  request: SearchRequest,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const query = await embed(deps, key, key.model, request.query, signal);
  const moment = { atMs, atLeast: lookedAtAgain(deps, request) };
  const found = await candidatesAt(moment, deps, key, table, query.vector, request, signal);
  const dense: Found = { candidates: found.candidates, mode: 'dense', degraded: degradedOf(found), query };
  return lookCloser(deps, key, request, dense, signal);
}

/**
 * Reranks what was found: in a hybrid search unless the request says no, in one by meaning or by words alone only where
 * it says yes.
 */
async function lookCloser(
  deps: FindDeps,
  { tenant, model }: CollectionKey,
  request: SearchRequest,
  found: Found,
  signal: AbortSignal | undefined,
): Promise<Found> {
  if (request.rerank !== true && found.mode !== 'hybrid') return found;
  const { tokens } = found.query ?? {};
  const query = { tenant, model, text: request.query, tokens };
  const { candidates, degraded } = await rerank(deps.reranker, query, inFusion(found, request, model), request, signal);
  return { ...found, candidates, degraded: [...found.degraded, ...degraded] };
}

/** How many chunks a search by meaning finds at least, so that the best that are looked at again are as many as they can be. */
const lookedAtAgain = ({ reranker }: FindDeps, request: SearchRequest): number =>
  request.rerank && reranker ? reranker.depth : 0;

/** Candidates with their relevance in the units of the fusion, also where one side found them alone. */
function inFusion({ mode, candidates }: Found, { query }: SearchRequest, model: string): readonly Candidate[] {
  if (mode === 'hybrid') return candidates;
  if (mode === 'dense') {
    const { cosine } = weightsOf(query, model);
    return candidates.map((candidate) => {
      const relevance = cosine * candidate.similarity;
      return { ...candidate, relevance, parts: { dense: relevance } };
    });
  }
  // By words alone each has its score.
  const lexicalOf = ({ lexical }: Candidate) => lexical as number;
  const most = candidates.reduce((highest, candidate) => Math.max(highest, lexicalOf(candidate)), 0) || 1;
  return candidates.map((candidate) => {
    const relevance = lexicalOf(candidate) / most;
    return { ...candidate, relevance, parts: { lexical: relevance } };
  });
}

/** Said where one of the indexes has lost chunks; they are brought back from the blob store. */
export const lackingReason = 'index_rebuilding';

const lackingOf = ({ whole }: LexicalRanking): string[] => (whole ? [] : [lackingReason]);

const degradedOf = ({ complete, lacking = false }: Candidates): string[] => [
  ...(complete ? [] : ['candidates_incomplete']),
  ...(lacking ? [lackingReason] : []),
];

interface Search extends WordSearch {
  readonly deps: FindDeps;
}

async function embed(
  deps: FindDeps,
  { tenant }: Scope,
  model: string,
  query: string,
  signal?: AbortSignal,
): Promise<EmbeddedQuery> {
  const embedder = deps.embedderFor(model);
  if (embedder) return { embedder, ...(await embedQueryText(deps.results, tenant, embedder, query, signal)) };
  throw new MemoryError('dependency_unavailable', `The namespace's embedding model ${model} is not available here.`, {
    hint: 'Configure the provider of that model again, or re-index the namespace with another one.',
  });
}

const idfOfStemOf = ({ value }: Settled<LexicalRanking>, terms: readonly LexicalTerm[]) =>
  value && statisticsOf(value, terms).idfOfStem;

const reasonOf = (query: Settled<EmbeddedQuery>) => (query.value ? undefined : 'embedder_unavailable');

/** @param failed the side that is away; its error is thrown where words cannot be had either */
async function byWords(
  search: Search,
  ranking: Settled<WordRanking>,
  query: EmbeddedQuery | undefined,
  reason: string | undefined,
  failed?: Settled<unknown>,
): Promise<Found> {
  if (!ranking.value) throw failed?.away ?? ranking.away;
  const indexIsAway = reason === 'vector_index_unavailable';
  const { candidates, complete } = await byWordsAlone(search, ranking.value, query?.vector, indexIsAway);
  const degraded = [
    ...(reason ? [reason] : []),
    ...(complete ? [] : ['candidates_incomplete']),
    ...lackingOf(ranking.value),
    ...(!query && search.request.minScore !== undefined ? ['min_score_ignored'] : []),
  ];
  return { candidates, mode: 'lexical', degraded, query, idfOfStem: idfOfStemOf(ranking, search.terms) };
}
