import type { BlobStore } from '../ports/blob-store.ts';
import type { ChunkAddress } from '../ports/lexical-index.ts';
import type { CollectionKey, VectorHit, VectorIndex } from '../ports/vector-index.ts';
import { chunksAt } from './chunks-at.ts';
import type { RankedCandidate } from './rank.ts';
import { settled } from './settled.ts';

/** What is shown for a hit: its chunk, or several that follow each other, as one piece of the document's text. */
export interface Passage {
  /** The chunk that was found; of several the best. */
  readonly hit: RankedCandidate;
  readonly text: string;
  /** Where `text` lies in the document's text. */
  readonly start: number;
  readonly end: number;
  /** What `text` is made of, in reading order. */
  readonly chunks: readonly VectorHit[];
}

/** The chunk alone. */
export const passageOf = (hit: RankedCandidate): Passage => ({
  ...{ hit, text: hit.text, start: hit.start, end: hit.end },
  chunks: [hit],
});

export interface NeighbourDeps {
  readonly vectors: VectorIndex;
  readonly blobs: BlobStore;
}

/**
 * Each hit with up to `count` chunks before and after it, of the same version. Hits whose surroundings meet become one
 * passage in the place of the better one, so there may be fewer passages than hits. `text` is the document's text from
 * `start` to `end`. One call of the vector index for all that is not known; what it lacks comes from the blob store.
 *
 * @param hits best first
 * @param known other chunks whose texts are here already
 * @param vector of the query; without one everything comes from the blob store
 * @returns `complete` is false where a neighbour that should be there could not be had
 */
export async function withNeighbours(
  deps: NeighbourDeps,
  key: CollectionKey,
  hits: readonly RankedCandidate[],
  count: number,
  { known, vector }: { readonly known: readonly VectorHit[]; readonly vector: Float32Array | undefined },
): Promise<{ passages: Passage[]; complete: boolean }> {
  const versions = Map.groupBy(hits, ({ documentId, version }) => JSON.stringify([documentId, version]));
  const wanted = [...versions.values()].flatMap((ofVersion) => surroundings(ofVersion, count));
  const there = new Map<string, VectorHit>();
  for (const chunk of [...known, ...hits]) there.set(placeOf(chunk), chunk);
  const missing = wanted.filter((address) => !there.has(placeOf(address)));
  for (const chunk of await fetchChunks(deps, key, missing, vector)) there.set(placeOf(chunk), chunk);
  const ranks = new Map(hits.map((hit, rank) => [hit.chunkId, rank]));
  const rankOf = ({ hit }: Passage) => ranks.get(hit.chunkId) as number;
  const passages = [...versions.values()].flatMap((ofVersion) => {
    const runs = ofVersion.map((hit) => ({ hit, chunks: runAround(hit, count, there) }));
    return mergeRuns(runs, rankOf);
  });
  return {
    passages: passages.sort((a, b) => rankOf(a) - rankOf(b)),
    complete: wanted.every((address) => !address.expected || there.has(placeOf(address))),
  };
}

interface WantedChunk extends ChunkAddress {
  /** The ledger says that the version has it. */
  readonly expected: boolean;
  /** It is in the index, not in its history. */
  readonly active: boolean;
}

const placeOf = ({ documentId, version, index }: ChunkAddress) => `${documentId}@${version}#${index}`;

/** Around the hits of one version, each chunk once. */
function surroundings(hits: readonly RankedCandidate[], count: number): WantedChunk[] {
  const wanted = new Map<number, WantedChunk>();
  for (const { documentId, version, index: at, row } of hits) {
    const active = row.activeVersion === version;
    const last = active ? Math.min(at + count, row.chunks - 1) : at + count;
    for (let index = Math.max(0, at - count); index <= last; index += 1)
      wanted.set(index, { documentId, version, index, expected: active, active });
  }
  return [...wanted.values()];
}

async function fetchChunks(
  deps: NeighbourDeps,
  key: CollectionKey,
  missing: readonly WantedChunk[],
  vector: Float32Array | undefined,
): Promise<VectorHit[]> {
  const { active = [], replaced = [] } = Object.groupBy(missing, (address) => (address.active ? 'active' : 'replaced'));
  const found = await Promise.all([
    settled(chunksAt(deps, key, active, { vector, fromIndex: vector !== undefined })),
    settled(chunksAt(deps, key, replaced, { vector: undefined, fromIndex: false })),
  ]);
  // What cannot be had now is missing, which is no reason to keep back the hits.
  return found.flatMap(({ value }) => value ?? []);
}

/** Whether `next` goes on where `chunk` ends, with no more than known blank text between them. */
const joins = (chunk: VectorHit, next: VectorHit) =>
  next.start <= chunk.end || next.before?.length === next.start - chunk.end;

function runAround(hit: VectorHit, count: number, there: ReadonlyMap<string, VectorHit>): Chunks {
  const { documentId, version } = hit;
  const chunkAt = (index: number) => there.get(placeOf({ documentId, version, index }));
  const chunks: [VectorHit, ...VectorHit[]] = [hit];
  for (let index = hit.index - 1; index >= hit.index - count; index -= 1) {
    const chunk = chunkAt(index);
    if (!chunk || !joins(chunk, chunks[0])) break;
    chunks.unshift(chunk);
  }
  for (let index = hit.index + 1; index <= hit.index + count; index += 1) {
    const chunk = chunkAt(index);
    if (!chunk || !joins(chunks.at(-1) as VectorHit, chunk)) break;
    chunks.push(chunk);
  }
  return chunks;
}

/** In reading order. */
type Chunks = readonly [VectorHit, ...VectorHit[]];

interface Run {
  readonly hit: RankedCandidate;
  readonly chunks: Chunks;
}

interface RunPassage extends Passage {
  readonly chunks: Chunks;
}

/** The runs of one version as passages: those that share a chunk, or follow each other, as one. */
function mergeRuns(runs: readonly Run[], rankOf: (passage: Passage) => number): Passage[] {
  const inOrder = runs.toSorted((a, b) => firstIndex(a) - firstIndex(b));
  const passages: RunPassage[] = [];
  for (const run of inOrder) {
    const passage = joined(run);
    const last = passages.at(-1);
    if (!last || !meets(last.chunks, run.chunks)) {
      passages.push(passage);
      continue;
    }
    const known = new Set(last.chunks.map(({ index }) => index));
    const chunks: Chunks = [...last.chunks, ...run.chunks.filter(({ index }) => !known.has(index))];
    passages[passages.length - 1] = joined({ hit: rankOf(passage) < rankOf(last) ? run.hit : last.hit, chunks });
  }
  return passages;
}

const firstIndex = ({ chunks }: Run) => chunks[0].index;

function meets(chunks: Chunks, [first]: Chunks): boolean {
  const last = chunks.at(-1) as VectorHit;
  return first.index <= last.index || (first.index === last.index + 1 && joins(last, first));
}

/** Chunks that follow each other as one text: what two of them share is there once. */
function joined({ hit, chunks }: Run): RunPassage {
  const [{ start }] = chunks;
  let text = '';
  let end = start;
  for (const chunk of chunks) {
    if (chunk.start > end) text += chunk.before as string;
    text += chunk.text.slice(Math.max(0, end - chunk.start));
    end = Math.max(end, chunk.end);
  }
  return { hit, text, start, end, chunks };
}
