import type { HitChunk, SearchHit, SearchMode, SearchRequest, SearchResponse } from '../contracts/model/search.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { CollectionKey, VectorHit } from '../ports/vector-index.ts';
import { momentOf } from './as-of.ts';
import type { NamespaceTable } from './document-table.ts';
import { type EmbeddedQuery, type FindDeps, type Found, find, findAt, lackingReason } from './find.ts';
import { highlight } from './highlight.ts';
import { createSentenceScorer, type SentenceScorer } from './late-interaction/sentence-scores.ts';
import type { TokenVectorReader } from './late-interaction/token-vectors.ts';
import { type Passage, passageOf, withNeighbours } from './neighbours.ts';
import { type RankedCandidate, rank } from './rank.ts';
import { termKeys } from './terms.ts';

export interface SearchDeps extends FindDeps {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long replaced versions are kept: how far back `asOf` reaches. */
  readonly versionRetentionMs: number;
  /** Undefined where late interaction is off. */
  readonly tokenVectors?: TokenVectorReader | undefined;
  /** Told that the index has lost chunks, for whoever brings them back. */
  readonly onIndexLacking?: () => void;
}

/** A search's answer, with what an answer needs to go on from there. Without `query` nothing was there to be compared. */
export interface Retrieval {
  readonly response: SearchResponse;
  readonly query?: EmbeddedQuery | undefined;
  /** Absent where the query has no token vectors. */
  readonly scoreSentences?: SentenceScorer | undefined;
}

/** What was asked for and cannot be had yet: said, never dropped in silence. */
function unavailable(request: SearchRequest): string[] {
  return request.diversity ? ['diversity_unavailable'] : [];
}

/**
 * Finds the chunks that fit a query best among the active versions of a tenant's namespace, or with `asOf` by meaning
 * among those that were active then; filters, titles and metadata are always the document's present ones.
 * @param refreshed the namespace's table where this request has just refreshed it
 * @throws MemoryError `unprocessable` for an `asOf` beyond retention, `dependency_unavailable` where the ledger is away,
 * or everything that could answer.
 */
export async function retrieve(
  deps: SearchDeps,
  tenant: string,
  request: SearchRequest,
  signal?: AbortSignal,
  refreshed?: NamespaceTable,
): Promise<Retrieval> {
  const startedAt = deps.clock.now();
  const atMs =
    request.asOf === undefined ? undefined : momentOf(request.asOf, deps.clock.now(), deps.versionRetentionMs);
  const degraded = unavailable(request);
  const finish = (hits: SearchHit[], mode: SearchMode): SearchResponse => {
    const tookMs = deps.clock.now() - startedAt;
    deps.metrics.search(mode, tookMs / 1000);
    for (const reason of degraded) deps.metrics.degraded(reason);
    return { hits, mode, tookMs, ...(degraded.length > 0 ? { degraded } : {}) };
  };

  const scope = { tenant, namespace: request.namespace };
  const table = refreshed ?? (await deps.table.refresh(scope));
  if (table.embeddingModel === undefined || table.rows.size === 0) return { response: finish([], request.mode) };
  const found =
    atMs === undefined
      ? await find(deps, scope, table, request, signal)
      : await findAt(atMs, deps, scope, table, request, signal);
  degraded.push(...found.degraded);
  if (found.degraded.includes(lackingReason)) deps.onIndexLacking?.();
  else if (table.indexIncomplete) degraded.push(lackingReason);
  // Without the query's vector no similarity is known.
  const bounded = found.query ? request : { ...request, minScore: undefined };
  const hits = rank(found.candidates, bounded, deps.clock.now());
  const passages = await surrounded(deps, { ...scope, model: table.embeddingModel }, hits, request, found);
  if (!passages.complete) degraded.push('neighbours_incomplete');
  const queryTerms = request.highlight ? termKeys(request.query) : undefined;
  const shown = passages.passages.map((passage, index) =>
    toSearchHit(passage, { rank: index + 1, request, queryTerms }),
  );
  const { tokenVectors } = deps;
  const tokens = found.query?.tokens;
  const scoreSentences =
    tokenVectors && tokens && createSentenceScorer(tokenVectors, { tenant, model: table.embeddingModel }, tokens, hits);
  return { response: finish(shown, found.mode), query: found.query, scoreSentences };
}

async function surrounded(
  deps: SearchDeps,
  key: CollectionKey,
  hits: readonly RankedCandidate[],
  { neighbours }: SearchRequest,
  { candidates, query }: Found,
): Promise<{ passages: Passage[]; complete: boolean }> {
  if (!neighbours) return { passages: hits.map(passageOf), complete: true };
  return withNeighbours(deps, key, hits, neighbours, { known: candidates, vector: query?.vector });
}

function toSearchHit(
  passage: Passage,
  context: { rank: number; request: SearchRequest; queryTerms: ReadonlySet<string> | undefined },
): SearchHit {
  const { rank: position, request, queryTerms } = context;
  const { hit, text, start, end } = passage;
  const { recencyWeight, lexical, rerank } = hit;
  const parts = {
    ...(lexical === undefined ? {} : { lexical }),
    ...(rerank === undefined ? {} : { rerank }),
    ...(recencyWeight === undefined ? {} : { recencyWeight }),
  };
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
    highlights: queryTerms ? highlight(queryTerms, passage) : [],
    metadata: hit.row.metadata,
    ...(request.neighbours ? { chunks: passage.chunks.map(toHitChunk) } : {}),
    ...(request.explain ? { explain: { rank: position, similarity: hit.similarity, ...parts } } : {}),
  };
}

const toHitChunk = ({ chunkId, page, start, end }: VectorHit): HitChunk => ({
  chunkId,
  ...(page === undefined ? {} : { page }),
  span: { start, end },
});
