import { MemoryError } from '../../contracts/errors.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { VectorRecord } from '../../ports/vector-index.ts';
import { readVectors, vectorBatchSize } from '../stored/artifacts.ts';
import type { EmbeddedChunks } from '../stored/embedded-chunks.ts';
import { vectorRecord } from './vector-record.ts';

/** Records of one write: as many as the index takes well in one call. */
const writeAtOnce = 8 * vectorBatchSize;

/**
 * What the index holds of a version, from its artifacts, in writes.
 * @param onMissing told from which chunk on a batch has no vectors; those are left out where it returns
 * @throws MemoryError `internal` where vectors are missing, unless `onMissing` says otherwise
 */
export async function* indexRecords(
  blobs: BlobStore,
  { ref, set }: EmbeddedChunks,
  onMissing: (from: number) => void = refuse,
): AsyncGenerator<{ readonly from: number; readonly records: readonly VectorRecord[] }> {
  for (let from = 0; from < set.chunks.length; from += writeAtOnce) {
    const records: VectorRecord[] = [];
    for (let at = from; at < Math.min(from + writeAtOnce, set.chunks.length); at += vectorBatchSize) {
      const batch = set.chunks.slice(at, at + vectorBatchSize);
      const vectors = await readVectors(blobs, ref, at, { count: batch.length, dimension: set.dimension });
      if (vectors) records.push(...batch.map((chunk, index) => vectorRecord(ref, chunk, vectors[index]!)));
      else onMissing(at);
    }
    yield { from, records };
  }
}

function refuse(from: number): never {
  throw new MemoryError('internal', `The vectors from chunk ${from} on are missing.`);
}
