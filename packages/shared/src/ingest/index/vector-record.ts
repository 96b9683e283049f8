import { MemoryError } from '../../contracts/errors.ts';
import type { Chunk } from '../../contracts/model/chunk.ts';
import type { VectorRecord } from '../../ports/vector-index.ts';

/** A chunk as the vector index holds it. @throws MemoryError `internal` without its vector */
export function vectorRecord(
  { documentId, version }: { readonly documentId: string; readonly version: number },
  chunk: Chunk,
  vector: Float32Array | undefined,
): VectorRecord {
  if (!vector) throw new MemoryError('internal', `Chunk ${chunk.index} has no vector.`);
  return {
    chunkId: chunk.chunkId,
    vector,
    text: chunk.text,
    documentId,
    version,
    index: chunk.index,
    page: chunk.page,
    headings: chunk.headings,
    start: chunk.span.start,
    end: chunk.span.end,
    before: chunk.before,
  };
}
