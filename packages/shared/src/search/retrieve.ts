import { MemoryError } from '../contracts/errors.ts';
import type { SearchHit, SearchRequest, SearchResponse } from '../contracts/model/search.ts';
import type { Clock } from '../ports/clock.ts';
import type { Embedder } from '../ports/embedder.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import { candidatesAt, momentOf } from './as-of.ts';
import { activeCandidates } from './candidates.ts';
import type { DocumentTable } from './document-table.ts';
import { highlight } from './highlight.ts';
import { type RankedCandidate, rank } from './rank.ts';
import { termKeys } from './terms.ts';

export interface SearchDeps {
  readonly table: DocumentTable;
  readonly vectors: VectorIndex;
  /** The embedder of a model, or undefined where this process has none for it. */
  readonly embedderFor: (model: string) => Embedder | undefined;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long replaced versions are kept: how far back `asOf` reaches. */
  readonly versionRetentionMs: number;
}

/** A search's answer, with what an answer needs to go on from there. Without `query` nothing was there to be compared. */
export interface Retrieval {
  readonly response: SearchResponse;
  readonly query?: { readonly embedder: Embedder; readonly vector: Float32Array };
}

/** What was asked for and cannot be had yet: said, never dropped in silence. */
function unavailable(request: SearchRequest): string[] {
  return [
    ...(request.diversity ? ['diversity_unavailable'] : []),
    ...(request.rerank ? ['rerank_unavailable'] : []),
    ...(request.neighbours ? ['neighbours_unavailable'] : []),
  ];
}

function embedderOf(deps: SearchDeps, model: string): Embedder {
  const embedder = deps.embedderFor(model);
  if (embedder) return embedder;
  throw new MemoryError('dependency_unavailable', `The namespace's embedding model ${model} is not available here.`, {
    hint: 'Configure the provider of that model again, or re-index the namespace with another one.',
  });
}

/**
 * Finds the chunks nearest to a query among the active versions of a tenant's namespace, or with `asOf` among those that
 * were active then; filters, titles and metadata are always the document's present ones.
 * @throws MemoryError `unprocessable` for an `asOf` beyond retention, `dependency_unavailable` where ledger, embedder or index is away.
 */
export async function retrieve(
  deps: SearchDeps,
  tenant: string,
  request: SearchRequest,
  signal?: AbortSignal,
): Promise<Retrieval> {
  const startedAt = deps.clock.now();
  const atMs =
    request.asOf === undefined ? undefined : momentOf(request.asOf, deps.clock.now(), deps.versionRetentionMs);
  const degraded = unavailable(request);
  const finish = (hits: SearchHit[]): SearchResponse => {
    const tookMs = deps.clock.now() - startedAt;
    deps.metrics.search('dense', tookMs / 1000);
    for (const reason of degraded) deps.metrics.degraded(reason);
    return { hits, mode: 'dense', tookMs, ...(degraded.length > 0 ? { degraded } : {}) };
  };

  const scope = { tenant, namespace: request.namespace };
  const table = await deps.table.refresh(scope);
  if (table.embeddingModel === undefined || table.rows.size === 0) return { response: finish([]) };
  const embedder = embedderOf(deps, table.embeddingModel);
  const vector = await embedder.embedQuery(request.query, signal);
  const key = { ...scope, model: table.embeddingModel };
  const found =
    atMs === undefined
      ? await activeCandidates(deps, key, table, vector, request, signal)
      : await candidatesAt(atMs, deps, key, table, vector, request, signal);
  if (!found.complete) degraded.push('candidates_incomplete');
  const hits = rank(found.candidates, request, deps.clock.now());
  const queryTerms = request.highlight ? termKeys(request.query) : undefined;
  const response = finish(hits.map((hit, index) => toSearchHit(hit, { rank: index + 1, request, queryTerms })));
  return { response, query: { embedder, vector } };
}

function toSearchHit(
  hit: RankedCandidate,
  context: { rank: number; request: SearchRequest; queryTerms: ReadonlySet<string> | undefined },
): SearchHit {
  const { rank: position, request, queryTerms } = context;
  const weight = hit.recencyWeight === undefined ? {} : { recencyWeight: hit.recencyWeight };
  return {
    chunkId: hit.chunkId,
    documentId: hit.documentId,
    version: hit.version,
    title: hit.row.title,
    text: hit.text,
    score: hit.score,
    similarity: hit.similarity,
    ...(hit.page === undefined ? {} : { page: hit.page }),
    headings: [...hit.headings],
    span: { start: hit.start, end: hit.end },
    highlights: queryTerms ? highlight(queryTerms, hit) : [],
    metadata: hit.row.metadata,
    ...(request.explain ? { explain: { rank: position, similarity: hit.similarity, ...weight } } : {}),
  };
}
