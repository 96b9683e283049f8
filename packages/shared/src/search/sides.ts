import type { ChunkAddress } from '../ports/lexical-index.ts';
import type { VectorHit } from '../ports/vector-index.ts';
import type { Candidates } from './candidates.ts';
import { chunksOfIndex } from './chunks-at.ts';
import { cosine } from './cosine.ts';
import type { NamespaceTable } from './document-table.ts';
import { placeOf } from './fuse.ts';
import { type Settled, settled } from './settled.ts';
import { rankByWords, type WordRanking, type WordSearch } from './words.ts';

/** What words and meaning have found, each on its own. */
interface Sides<Query, Search> {
  readonly query: Settled<Query>;
  readonly best: Settled<WordRanking>;
  /** Absent where the nearest are still to be looked for. */
  readonly near?: Settled<Candidates> | undefined;
  /** With the texts that were read meanwhile. */
  readonly read: Search;
}

/**
 * Asks words and meaning at the same time; only quotes make meaning wait for words.
 * @param embedding the query as the model sees it, which is under way
 * @param nearest looks for the chunks that are nearest to a vector
 * @throws what one of them throws beside `dependency_unavailable`
 */
export async function askSides<Query extends { readonly vector: Float32Array }, Search extends WordSearch>(
  asked: Search,
  embedding: Promise<Settled<Query>>,
  nearest: (vector: Float32Array) => Promise<Settled<Candidates>>,
  signal: AbortSignal | undefined,
): Promise<Sides<Query, Search>> {
  const { table, request, phrases } = asked;
  const isMeant = request.mode !== 'lexical' && !phrases;
  const ranking = settled(rankByWords(asked));
  const [query, best, near, early] = await Promise.all([
    embedding,
    ranking,
    isMeant ? embedding.then(({ value }) => value && nearest(value.vector)) : undefined,
    ranking.then(({ value }) => (value && !signal?.aborted ? readEarly(asked, value) : undefined)),
  ]);
  const read = withEarly(asked, early, query.value?.vector);
  const found = [...(near?.value?.candidates ?? []), ...(best.value?.hits ?? [])];
  if (!near?.value || found.every(isActiveIn(table))) return { query, best, near, read };
  // A document was replaced when one side was done and the other not: they are asked one after the other.
  return { query, best: await settled(rankByWords(asked)), read };
}

/**
 * Reads what words have found before it is known what they are compared with: some are found by meaning too, and nothing
 * has to wait. What cannot be had now is asked for again by whoever needs it.
 */
async function readEarly(
  { deps, scope, model, table, request, phrases }: WordSearch,
  { hits }: WordRanking,
): Promise<VectorHit[] | undefined> {
  if (request.mode === 'dense' || phrases) return undefined;
  return chunksOfIndex(deps, { ...scope, model }, hits, { table });
}

/** Compares what was read early; without the query's vector no similarity is known. */
function withEarly<Search extends WordSearch>(
  search: Search,
  early: readonly VectorHit[] | undefined,
  query: Float32Array | undefined,
): Search {
  if (!early) return search;
  const compared = query
    ? early.map((hit) => ({ ...hit, similarity: cosine(query, hit.vector as Float32Array) }))
    : early;
  return { ...search, texts: new Map(compared.map((hit) => [placeOf(hit), hit])) };
}

const isActiveIn =
  ({ rows }: NamespaceTable) =>
  ({ documentId, version }: ChunkAddress): boolean =>
    rows.get(documentId)?.activeVersion === version;
