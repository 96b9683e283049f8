import type { Chunk } from '../../contracts/model/chunk.ts';
import type { VectorRecord } from '../../ports/vector-index.ts';

/** A chunk as the vector index holds it. */
export function vectorRecord(
  { documentId, version }: { readonly documentId: string; readonly version: number },
  chunk: Chunk,
  vector: Float32Array,
): VectorRecord {
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
