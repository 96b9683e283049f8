import { z } from 'zod';
import type { Embedder } from '../ports/embedder.ts';
import type { ResultCache } from './result-cache.ts';

const Packed = z.base64();

/**
 * A query's vector, from the cache where the tenant has asked the same before. It follows from the model and the words
 * alone, holds no document's text, and so outlives every change of the documents.
 */
export async function queryVector(
  results: ResultCache | undefined,
  tenant: string,
  embedder: Embedder,
  query: string,
  signal?: AbortSignal,
): Promise<Float32Array> {
  if (!results) return embedder.embedQuery(query, signal);
  const found = await results.remember(
    { area: { tenant }, kind: 'embedding', of: [embedder.model, query], schema: Packed, ifStillTrue: async (it) => it },
    async (own) => ({ value: pack(await embedder.embedQuery(query, own)), keep: true }),
    signal,
  );
  return unpack(found.value);
}

const pack = (vector: Float32Array): string =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');

function unpack(packed: string): Float32Array {
  const bytes = Buffer.from(packed, 'base64');
  const vector = new Float32Array(bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);
  new Uint8Array(vector.buffer).set(bytes);
  return vector;
}
