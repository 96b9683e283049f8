import { MemoryError } from '../contracts/errors.ts';
import type { Scope } from '../contracts/model/ids.ts';
import type { SearchMode, SearchRequest } from '../contracts/model/search.ts';
import { chunkIdOf } from '../ingest/chunk/chunk-id.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Embedder } from '../ports/embedder.ts';
import type { LexicalIndex, Postings } from '../ports/lexical-index.ts';
import type { VectorHit, VectorIndex } from '../ports/vector-index.ts';
import { candidatesAt } from './as-of.ts';
import { activeCandidates, activeOf, type Candidates } from './candidates.ts';
import type { DocumentTable, NamespaceTable } from './document-table.ts';
import { compileFilter } from './filter.ts';
import { lexicalScale, placeOf, weightsOf } from './fuse.ts';
import { hydrate } from './hydrate.ts';
import { createPairScorer } from './lexical/pairs.ts';
import { type LexicalHit, type QueryTerm, queryTerms, scoreLexically, statisticsOf } from './lexical/score.ts';
import type { Candidate } from './rank.ts';

export interface FindDeps {
  readonly table: DocumentTable;
  readonly vectors: VectorIndex;
  readonly lexical: LexicalIndex;
  readonly blobs: BlobStore;
  /** The embedder of a model, or undefined where this process has none for it. */
  readonly embedderFor: (model: string) => Embedder | undefined;
}

/** A query as the namespace's model sees it. */
export interface EmbeddedQuery {
  readonly embedder: Embedder;
  readonly vector: Float32Array;
}

export interface Found {
  readonly candidates: readonly Candidate[];
  /** What answered, which is less than what was asked for where something is away. */
  readonly mode: SearchMode;
  readonly degraded: readonly string[];
  readonly query?: EmbeddedQuery | undefined;
}

/** From each side; both scores are exact for all of them. */
const candidatesPerSide = 100;
/** Of the best of both sides together, whose texts are looked at for neighbouring words. */
const candidatesWithPairs = 50;
/** Read from the blob store one by one, where the vector index is away. */
const mostHydrated = 50;

/**
 * Finds chunks of active versions by meaning, by words, or by both. Where the model or the vector index is away, by
 * words alone; where the postings are, by meaning alone.
 * @throws MemoryError `dependency_unavailable` where neither side can be had, `cancelled` by `signal`
 */
export async function find(
  deps: FindDeps,
  scope: Scope,
  table: NamespaceTable,
  request: SearchRequest,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const model = table.embeddingModel ?? '';
  const wantsWords = request.mode !== 'dense';
  const terms = queryTerms(request.query);
  const [query, postings] = await Promise.all([
    settled(embed(deps, model, request.query, signal)),
    wantsWords ? settled(readPostings(deps, scope, terms)) : undefined,
  ]);
  const search: Search = { deps, scope, model, table, request, signal, terms };
  if (request.mode === 'lexical') return byWords(search, await orRead(search, postings), query.value, reasonOf(query));
  if (!query.value) return byWords(search, await orRead(search, postings), undefined, 'embedder_unavailable', query);

  const { vector } = query.value;
  const atLeast = postings?.value ? candidatesPerSide : 0;
  const dense = await settled(activeCandidates(deps, { ...scope, model }, table, vector, request, signal, { atLeast }));
  if (!dense.value)
    return byWords(search, await orRead(search, postings), query.value, 'vector_index_unavailable', dense);
  const degraded = degradedOf(dense.value);
  const { candidates } = dense.value;
  if (!postings) return { candidates, mode: 'dense', degraded, query: query.value };
  if (!postings.value) {
    return { candidates, mode: 'dense', degraded: [...degraded, 'lexical_index_unavailable'], query: query.value };
  }
  const both = await withWords(search, postings.value, candidates, vector);
  const reasons = new Set([...degraded, ...lackingOf(postings.value)]);
  return { candidates: both, mode: 'hybrid', degraded: [...reasons], query: query.value };
}

/** As `find`, among the versions that were active at a moment, by meaning only: there are no postings of the past. */
export async function findAt(
  atMs: number,
  deps: FindDeps,
  scope: Scope,
  table: NamespaceTable,
  request: SearchRequest,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const model = table.embeddingModel ?? '';
  const query = await embed(deps, model, request.query, signal);
  const key = { ...scope, model };
  const found = await candidatesAt(atMs, deps, key, table, query.vector, request, signal);
  return { candidates: found.candidates, mode: 'dense', degraded: degradedOf(found), query };
}

/** Said where one of the indexes has lost chunks; they are brought back from the blob store. */
export const lackingReason = 'index_rebuilding';

const lackingOf = ({ whole }: Postings): string[] => (whole ? [] : [lackingReason]);

const degradedOf = ({ complete, lacking = false }: Candidates): string[] => [
  ...(complete ? [] : ['candidates_incomplete']),
  ...(lacking ? [lackingReason] : []),
];

interface Search {
  readonly deps: FindDeps;
  readonly scope: Scope;
  readonly model: string;
  readonly table: NamespaceTable;
  readonly request: SearchRequest;
  readonly signal: AbortSignal | undefined;
  readonly terms: readonly QueryTerm[];
}

async function embed(deps: FindDeps, model: string, query: string, signal?: AbortSignal): Promise<EmbeddedQuery> {
  const embedder = deps.embedderFor(model);
  if (embedder) return { embedder, vector: await embedder.embedQuery(query, signal) };
  throw new MemoryError('dependency_unavailable', `The namespace's embedding model ${model} is not available here.`, {
    hint: 'Configure the provider of that model again, or re-index the namespace with another one.',
  });
}

const readPostings = (deps: FindDeps, scope: Scope, terms: readonly QueryTerm[]): Promise<Postings> =>
  deps.lexical.read(
    scope,
    terms.map(({ term }) => term),
  );

/** What became of a side of the search; one that is away is no reason to stop the other. */
interface Settled<Value> {
  readonly value?: Value;
  readonly away?: MemoryError;
}

async function settled<Value>(side: Promise<Value>): Promise<Settled<Value>> {
  try {
    return { value: await side };
  } catch (error) {
    if (error instanceof MemoryError && error.code === 'dependency_unavailable') return { away: error };
    throw error;
  }
}

const reasonOf = (query: Settled<EmbeddedQuery>) => (query.value ? undefined : 'embedder_unavailable');

async function orRead(search: Search, postings: Settled<Postings> | undefined): Promise<Settled<Postings>> {
  return postings ?? settled(readPostings(search.deps, search.scope, search.terms));
}

/** The chunks of active versions of documents that pass the filter, by words. */
function bestByWords(search: Search, postings: Postings, also: readonly Candidate[] = []) {
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

/** @param failed the side that is away; its error is thrown where words cannot be had either */
async function byWords(
  search: Search,
  postings: Settled<Postings>,
  query: EmbeddedQuery | undefined,
  reason: string | undefined,
  failed?: Settled<unknown>,
): Promise<Found> {
  if (!postings.value) throw failed?.away ?? postings.away;
  const { best } = bestByWords(search, postings.value);
  const hits = await withTexts(search, best, query?.vector, reason === 'vector_index_unavailable');
  const scores = new Map(best.map((hit) => [placeOf(hit), hit.score]));
  const scored = activeOf(hits, search.table)
    .map((candidate) => withLexical(candidate, scores.get(placeOf(candidate)) ?? 0))
    .sort(byRelevance);
  const pairs = pairScorer(search, postings.value);
  const candidates = scored.map((candidate, at) =>
    at < candidatesWithPairs
      ? withLexical(candidate, (candidate.lexical ?? 0) + pairs(candidate.row.title, candidate.text))
      : candidate,
  );
  const degraded = [
    ...(reason ? [reason] : []),
    ...lackingOf(postings.value),
    ...(!query && search.request.minScore !== undefined ? ['min_score_ignored'] : []),
  ];
  return { candidates, mode: 'lexical', degraded, query };
}

const withLexical = (candidate: Candidate, lexical: number): Candidate => ({
  ...candidate,
  lexical,
  relevance: lexical,
});

const pairScorer = ({ request, terms }: Search, postings: Postings) =>
  createPairScorer(request.query, statisticsOf(postings, terms));

/** Both sides' candidates, each with both scores. */
async function withWords(
  search: Search,
  postings: Postings,
  dense: readonly Candidate[],
  vector: Float32Array,
): Promise<Candidate[]> {
  const { request, table } = search;
  const { best, also } = bestByWords(search, postings, dense);
  const pairs = pairScorer(search, postings);
  const known = new Set(dense.map(placeOf));
  const wordsOnly = best.filter((hit) => !known.has(placeOf(hit)));
  const scores = new Map(best.map((hit) => [placeOf(hit), hit.score]));
  dense.forEach((candidate, at) => {
    scores.set(placeOf(candidate), also[at] ?? 0);
  });
  const candidates = [...dense, ...activeOf(await withTexts(search, wordsOnly, vector, false), table)];
  const weights = weightsOf(request.query);
  const { ideal } = statisticsOf(postings, search.terms);
  const fuse = (lexicalOf: (candidate: Candidate) => number): Candidate[] => {
    const lexical = candidates.map(lexicalOf);
    const best = lexical.reduce((most, score) => Math.max(most, score), 0);
    const scale = lexicalScale(best, ideal, postings.count, weights);
    return candidates.map((candidate, at) => {
      const score = lexical[at] ?? 0;
      return { ...candidate, lexical: score, relevance: score * scale + weights.cosine * candidate.similarity };
    });
  };
  const lexicalOf = (candidate: Candidate) => scores.get(placeOf(candidate)) ?? 0;
  // Neighbouring words only reorder: the best are enough, and their texts are read word by word.
  const readable = fuse(lexicalOf).sort(byRelevance).slice(0, candidatesWithPairs);
  const paired = new Map(readable.map((candidate) => [candidate.chunkId, pairs(candidate.row.title, candidate.text)]));
  return fuse((candidate) => lexicalOf(candidate) + (paired.get(candidate.chunkId) ?? 0));
}

const byRelevance = (a: Candidate, b: Candidate) => (b.relevance ?? 0) - (a.relevance ?? 0);

/** Texts and similarities of chunks that words have found. */
async function withTexts(
  { deps, scope, model }: Search,
  found: readonly LexicalHit[],
  vector: Float32Array | undefined,
  indexIsAway: boolean,
): Promise<VectorHit[]> {
  if (found.length === 0) return [];
  const { tenant } = scope;
  const chunkIds = found.map(({ documentId, version, index }) => chunkIdOf(tenant, documentId, version, index));
  const fromIndex =
    vector && !indexIsAway
      ? await settled(deps.vectors.query({ ...scope, model }, { vector, limit: chunkIds.length, chunkIds }))
      : {};
  const hits = fromIndex.value ?? [];
  const there = new Set(hits.map(({ chunkId }) => chunkId));
  // Where the index has lost some they are still in the blob store.
  const rest = found.filter((_, at) => !there.has(chunkIds[at] ?? '')).slice(0, mostHydrated);
  return [...hits, ...(await hydrate(deps.blobs, tenant, rest, vector))];
}
