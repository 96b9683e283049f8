import { createHash } from 'node:crypto';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { DocumentRow } from '../../ports/ledger.ts';
import { splitSentences } from '../../search/sentences.ts';
import { readChunkSet } from '../stored/artifacts.ts';

/** A sentence of a passage, which should lead to that passage. */
export interface SampledQuery {
  readonly query: string;
  readonly chunkId: string;
}

/** A sentence of fewer words says too little, and of a longer one the first words are enough. */
const leastWords = 4;
const mostWords = 24;

/**
 * Sentences of active passages as queries, chosen by a seed: each passage with the same chance, at most one of each.
 * @param most how many
 */
export async function sampleQueries(
  blobs: Pick<BlobStore, 'get'>,
  tenant: string,
  rows: Iterable<DocumentRow>,
  { seed, most }: { readonly seed: string; readonly most: number },
): Promise<SampledQuery[]> {
  const sampled: SampledQuery[] = [];
  for (const { row, index, lot } of drawn([...rows], seed, most)) {
    const set = await readChunkSet(blobs, { tenant, documentId: row.documentId, version: row.activeVersion });
    const chunk = set?.chunks[index];
    const query = chunk && sentenceOf(chunk.text, lot);
    if (query) sampled.push({ query, chunkId: chunk.chunkId });
  }
  return sampled;
}

/** Places of passages by lot: all where there are no more than are wanted. */
function drawn(rows: readonly DocumentRow[], seed: string, most: number) {
  const ends: number[] = [];
  let total = 0;
  for (const { chunks } of rows) {
    total += chunks;
    ends.push(total);
  }
  const positions = new Map<number, number>();
  for (let draw = 0; positions.size < Math.min(most, total); draw += 1) {
    const lot = lotOf(seed, draw);
    positions.set(total <= most ? draw : lot % total, lot);
  }
  return [...positions].map(([position, lot]) => {
    const at = rowAt(ends, position);
    return { row: rows[at] as DocumentRow, index: position - (ends[at - 1] ?? 0), lot };
  });
}

/** The first row whose passages end beyond a position. */
function rowAt(ends: readonly number[], position: number): number {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

const lotOf = (seed: string, draw: number): number =>
  createHash('sha256')
    .update(JSON.stringify([seed, draw]))
    .digest()
    .readUInt32BE();

/** Undefined where the text has none of enough words. */
function sentenceOf(text: string, lot: number): string | undefined {
  const sentences = splitSentences(text)
    .map(({ start, end }) => text.slice(start, end).split(/\s+/u))
    .filter((words) => words.length >= leastWords);
  const chosen = sentences[lot % sentences.length];
  return chosen?.slice(0, mostWords).join(' ');
}
