import type { SearchHit, SearchMode, SearchRequest, SearchResponse } from '../contracts/model/search.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { CollectionKey } from '../ports/vector-index.ts';
import { momentOf } from './as-of.ts';
import { diversify, poolSize } from './diversify.ts';
import type { NamespaceTable } from './document-table.ts';
import { type EmbeddedQuery, type FindDeps, type Found, find, findAt, lackingReason } from './find.ts';
import { createSentenceScorer, type SentenceScorer } from './late-interaction/sentence-scores.ts';
import type { TokenVectorReader } from './late-interaction/token-vectors.ts';
import { type Passage, passageOf, withNeighbours } from './neighbours.ts';
import { createQueryWords, type QueryWords } from './query-words.ts';
import { type Candidate, type RankedCandidate, rank } from './rank.ts';
import { showHits } from './show.ts';

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
  /** What was asked, word by word. */
  readonly words: QueryWords;
  /** Absent where the query has no token vectors. */
  readonly scoreSentences?: SentenceScorer | undefined;
  /**
   * The hits with up to `count` chunks before and after each; those that meet become one. `complete` is false where a
   * chunk that should be there could not be had. Absent where nothing was there to be found.
   */
  readonly withNeighbours?: (count: number) => Promise<{ readonly hits: SearchHit[]; readonly complete: boolean }>;
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
  const degraded: string[] = [];
  const finish = (hits: SearchHit[], mode: SearchMode): SearchResponse => {
    const tookMs = deps.clock.now() - startedAt;
    deps.metrics.search(mode, tookMs / 1000);
    for (const reason of degraded) deps.metrics.degraded(reason);
    return { hits, mode, tookMs, ...(degraded.length > 0 ? { degraded } : {}) };
  };

  const scope = { tenant, namespace: request.namespace };
  const table = refreshed ?? (await deps.table.refresh(scope));
  if (table.embeddingModel === undefined || table.rows.size === 0) {
    return { response: finish([], request.mode), words: createQueryWords(request.query) };
  }
  let model: string;
  let found: Found;
  do {
    model = table.embeddingModel;
    found =
      atMs === undefined
        ? await find(deps, { ...scope, model }, table, request, signal)
        : await findAt(atMs, deps, { ...scope, model }, table, request, signal);
    // The namespace has got another model meanwhile: what was committed since is in that one's collection only.
  } while (table.embeddingModel !== model);
  degraded.push(...found.degraded);
  if (found.degraded.includes(lackingReason)) deps.onIndexLacking?.();
  else if (table.indexIncomplete) degraded.push(lackingReason);
  // Without the query's vector no similarity is known.
  const bounded = found.query ? request : { ...request, minScore: undefined };
  const key = { ...scope, model };
  const hits = await chooseHits(deps, key, found.candidates, bounded, degraded);
  const passages = await surrounded(deps, key, hits, request.neighbours, found);
  if (!passages.complete) degraded.push('neighbours_incomplete');
  const { tokenVectors } = deps;
  const tokens = found.query?.tokens;
  const scoreSentences = tokenVectors && tokens && createSentenceScorer(tokenVectors, key, tokens, hits);
  const response = finish(showHits(passages.passages, request, found), found.mode);
  return {
    ...{ response, query: found.query, scoreSentences, words: createQueryWords(request.query, found.idfOfStem) },
    withNeighbours: async (count) => {
      const wider = await surrounded(deps, key, hits, count, found);
      return { hits: showHits(wider.passages, { ...request, neighbours: count }, found), complete: wider.complete };
    },
  };
}

/** The hits that are shown, best first. What of it cannot be had is added to `degraded`. */
async function chooseHits(
  deps: SearchDeps,
  key: CollectionKey,
  candidates: readonly Candidate[],
  request: SearchRequest,
  degraded: string[],
): Promise<RankedCandidate[]> {
  const { diversity, topK } = request;
  const nowMs = deps.clock.now();
  if (!diversity) return rank(candidates, request, nowMs);
  const pool = rank(candidates, { ...request, topK: poolSize(topK) }, nowMs);
  const chosen = await diversify(deps, key, pool, { topK, diversity });
  if (!chosen) degraded.push('diversity_unavailable');
  return chosen ?? pool.slice(0, topK);
}

async function surrounded(
  deps: SearchDeps,
  key: CollectionKey,
  hits: readonly RankedCandidate[],
  neighbours: number | undefined,
  { candidates, query }: Found,
): Promise<{ passages: Passage[]; complete: boolean }> {
  if (!neighbours) return { passages: hits.map(passageOf), complete: true };
  return withNeighbours(deps, key, hits, neighbours, { known: candidates, vector: query?.vector });
}
