import { MemoryError } from '../contracts/errors.ts';
import type { SearchRequest } from '../contracts/model/search.ts';
import { chunkIdOf } from '../ingest/chunk/chunk-id.ts';
import type { DocumentRow } from '../ports/ledger.ts';
import type { CollectionKey, VectorHit, VectorIndex, VectorQuery } from '../ports/vector-index.ts';
import type { ChunkShelf } from './chunk-shelf.ts';
import { poolSize } from './diversify.ts';
import type { DocumentTable, NamespaceTable } from './document-table.ts';
import { compileFilter, type RowPredicate } from './filter.ts';
import { phrasesOf } from './lexical/phrases.ts';
import { matchingDocuments } from './matching-documents.ts';
import { type Candidate, capPerDocument } from './rank.ts';

/** What the vector index takes in one `$in`; above that more is fetched and dropped here. */
const maxDocumentIds = 1000;
/** The most chunks that one search looks at: bounds its time where nearly everything near is dropped. */
const maxLimit = 2000;
/** Where most will be dropped, because they lack what is in quotes, so many are looked at to begin with. */
const leastWithPhrases = 250;
/** Where fewer may be found than Chroma looks at, it walks through all of its graph. */
const lookedAt = 200;
/** So many chunks are walked through in the time that one is read by its id (docs/benchmarks.md). */
const walkedForOneRead = 90;
/** How many versions in flight are named in a query; the others are dropped after it. */
const maxExcluded = 200;
/** How often a search begins again because documents changed under it. */
const maxRestarts = 3;

export interface Candidates {
  readonly candidates: readonly Candidate[];
  readonly complete: boolean;
  /** The index gave fewer chunks than there are: it has lost some. */
  readonly lacking?: boolean;
}

/** The documents that may be searched, or undefined where all may. */
function allowedDocuments(table: NamespaceTable, matches: RowPredicate): string[] | undefined {
  const allowed: string[] = [];
  for (const row of table.rows.values()) if (matches(row)) allowed.push(row.documentId);
  return allowed.length === table.rows.size ? undefined : allowed;
}

/** How many chunks to rank: recency and diversity can lift what is less near, so they choose among more. */
function wantedCount({ recency, diversity, topK }: SearchRequest): number {
  return recency || diversity ? poolSize(topK) : topK;
}

/** Which version of a document is searched, where, and how far. */
export interface VersionChoice {
  /** 0 where none is; by default the active one. */
  readonly versionOf?: (row: DocumentRow) => number;
  /** Chunks to look at, also where the request can use fewer. */
  readonly atLeast: number;
  /** Looks among the versions that were replaced and that were active at this moment (milliseconds since 1970). */
  readonly historyAt?: number;
}

const activeVersion = (row: DocumentRow): number => row.activeVersion;

/** The hits of active versions, with what the table says of their documents. */
export function activeOf(hits: readonly VectorHit[], table: NamespaceTable): Candidate[] {
  return hits.flatMap((hit) => {
    const row = table.rows.get(hit.documentId);
    return row && row.activeVersion === hit.version ? [{ ...hit, row }] : [];
  });
}

const versionAhead = (hit: VectorHit, table: NamespaceTable) =>
  hit.version > (table.rows.get(hit.documentId)?.activeVersion ?? 0);

/**
 * The nearest chunks of active versions of documents that pass the filter and that have what is in quotes, at least as many
 * as the request can use where there are so many; where so few chunks may be found that reading them costs less than a
 * search among all, they are read. Versions that are not active are left out of the next query, and more is fetched, so that a
 * large half-written version cannot crowd out live text. A version that is ahead of the table may have been committed
 * since: the table is read again, and where it moved the query is repeated, so that a document that is being replaced
 * is found in its old or its new version, never in neither.
 *
 * @param choice which versions count instead of the active ones, and how far to look
 * @returns `complete` is false where the bound on looked-at chunks was reached first.
 */
export async function activeCandidates(
  deps: { readonly table: DocumentTable; readonly vectors: VectorIndex; readonly shelf?: ChunkShelf | undefined },
  key: CollectionKey,
  refreshed: NamespaceTable,
  vector: Float32Array,
  request: SearchRequest,
  signal: AbortSignal | undefined,
  { versionOf = activeVersion, historyAt, atLeast }: VersionChoice,
): Promise<Candidates> {
  const phrases = phrasesOf(request.query);
  const passes = request.filter ? compileFilter(request.filter) : () => true;
  // Of history only what was replaced is there.
  const isThere = (row: DocumentRow) => historyAt === undefined || versionOf(row) !== row.activeVersion;
  const matches: RowPredicate = (row) => versionOf(row) > 0 && isThere(row) && passes(row);
  const rowFor = (hit: VectorHit) => {
    const row = table.rows.get(hit.documentId);
    return row && versionOf(row) === hit.version ? row : undefined;
  };
  const collection = historyAt === undefined ? key : { ...key, history: true as const };
  const wanted = wantedCount(request);
  const minScore = request.minScore ?? Number.NEGATIVE_INFINITY;
  const excluded = new Set<string>();
  let table = refreshed;
  const findAllowed = async () => {
    if (versionOf !== activeVersion || historyAt !== undefined) return allowedDocuments(table, matches);
    const passing = await matchingDocuments(table, request.filter);
    return passing && [...passing];
  };
  let allowed = await findAllowed();
  let limit = Math.max(atLeast, firstLimit(wanted, allowed, table, request), phrases ? leastWithPhrases : 0);
  let restarts = 0;
  for (;;) {
    if (allowed?.length === 0) return { candidates: [], complete: true };
    if (signal?.aborted) throw new MemoryError('cancelled', 'The search was cancelled.', { cause: signal.reason });
    const revision = table.revision;
    const chunkIds = versionOf === activeVersion ? fewChunks(table, key.tenant, allowed) : undefined;
    const documentIds = allowed && allowed.length <= maxDocumentIds ? allowed : undefined;
    const query: VectorQuery = {
      vector,
      limit,
      ...(chunkIds ? { chunkIds } : documentIds ? { documentIds } : {}),
      ...(excluded.size > 0 ? { excludeVersions: [...excluded] } : {}),
      ...(historyAt === undefined ? {} : { activeAt: historyAt }),
    };
    const hits = await (deps.shelf
      ? deps.shelf.query(deps.vectors, table, collection, query)
      : deps.vectors.query(collection, query));
    const lacksSome = hits.length < Math.min(limit, chunkIds?.length ?? 0);
    if (lacksSome || hits.some((hit) => versionAhead(hit, table))) table = await deps.table.refresh(key);
    const stale = hits.filter((hit) => !rowFor(hit));
    if ((lacksSome || stale.length > 0) && table.revision !== revision && restarts < maxRestarts) {
      restarts += 1;
      excluded.clear();
      allowed = await findAllowed();
      continue;
    }
    const candidates = hits.flatMap((hit): Candidate[] => {
      const row = rowFor(hit);
      return row && matches(row) && (phrases?.areIn(hit.text) ?? true) ? [{ ...hit, row }] : [];
    });
    const usable = capPerDocument(
      candidates.filter((candidate) => candidate.similarity >= minScore),
      request.perDocument,
    );
    const exhausted = hits.length < limit || hits.some((hit) => hit.similarity < minScore);
    if (usable.length >= wanted || exhausted) {
      const lacking =
        historyAt === undefined && hits.length < limit && (await isLacking(deps, key, table, allowed, hits));
      return { candidates, complete: true, lacking };
    }
    if (limit >= maxLimit) return { candidates, complete: false };
    limit = Math.min(limit * 2, maxLimit);
    for (const hit of stale) if (excluded.size < maxExcluded) excluded.add(`${hit.documentId}@${hit.version}`);
  }
}

/** The ids of all chunks that may be found, where they are so few that reading them is cheaper than a search. */
function fewChunks(
  table: NamespaceTable,
  tenant: string,
  allowed: readonly string[] | undefined,
): string[] | undefined {
  if (!allowed || allowed.length > lookedAt) return undefined;
  const rows = allowed.flatMap((documentId) => table.rows.get(documentId) ?? []);
  const count = rows.reduce((sum, { chunks }) => sum + chunks, 0);
  if (count > lookedAt || !hasMore(table, count * walkedForOneRead)) return undefined;
  return rows.flatMap(({ documentId, activeVersion: version, chunks }) =>
    Array.from({ length: chunks }, (_, index) => chunkIdOf(tenant, documentId, version, index)),
  );
}

function hasMore(table: NamespaceTable, than: number): boolean {
  let all = 0;
  for (const { chunks } of table.rows.values()) {
    all += chunks;
    if (all > than) return true;
  }
  return false;
}

/** Whether chunks of active versions that may be found were not among all that the index gave. */
async function isLacking(
  deps: { readonly table: DocumentTable; readonly vectors: VectorIndex },
  key: CollectionKey,
  table: NamespaceTable,
  allowed: readonly string[] | undefined,
  hits: readonly VectorHit[],
): Promise<boolean> {
  const only = allowed && new Set(allowed);
  let expected = 0;
  let all = 0;
  for (const row of table.rows.values()) {
    all += row.chunks;
    if (only?.has(row.documentId) ?? true) expected += row.chunks;
  }
  if (hits.filter((hit) => !versionStaleIn(hit, table)).length >= expected) return false;
  // A version that is just being replaced is found in neither for a moment: what counts is what the index holds.
  return (await deps.vectors.count(key)) < all;
}

const versionStaleIn = (hit: VectorHit, table: NamespaceTable) =>
  table.rows.get(hit.documentId)?.activeVersion !== hit.version;

/** As many as are wanted; more where some will be dropped: by the share of documents that pass, or by the cap. */
function firstLimit(
  wanted: number,
  allowed: readonly string[] | undefined,
  table: NamespaceTable,
  request: SearchRequest,
): number {
  const share = allowed && allowed.length > maxDocumentIds ? allowed.length / table.rows.size : 1;
  const factor = (1 / share) * (request.perDocument === undefined ? 1 : 2);
  return Math.min(Math.ceil(wanted * factor), maxLimit);
}
