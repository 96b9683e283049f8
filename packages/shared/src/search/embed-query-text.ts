import { z } from 'zod';
import { MemoryError } from '../contracts/errors.ts';
import type { Embedder, QueryTokens } from '../ports/embedder.ts';
import type { ResultCache } from './result-cache.ts';

/** A query as the model gives it: its tokens only where the model gives them. */
interface QueryText {
  readonly vector: Float32Array;
  readonly tokens?: QueryTokens;
}

/** How long a search waits for a model that does not answer. Then words alone say what is found. */
const waitMs = 10_000;

/** Numbers as base64, since the cache keeps JSON. */
const Packed = z.object({
  vector: z.base64(),
  tokens: z.object({ values: z.base64(), scales: z.base64(), weights: z.base64() }).exactOptional(),
});
type Packed = z.infer<typeof Packed>;

/**
 * A query's vector and those of its tokens, from the cache where the tenant has asked the same before. They follow from
 * the model and the words alone, hold no document's text, and so outlive every change of the documents.
 * @throws MemoryError `dependency_unavailable` where the model is away, or does not answer in time
 */
export async function embedQueryText(
  results: ResultCache | undefined,
  tenant: string,
  embedder: Embedder,
  query: string,
  signal?: AbortSignal,
): Promise<QueryText> {
  const embed = (own?: AbortSignal) => withinWait(own, (within) => embedNow(embedder, query, within));
  if (!results) return embed(signal);
  const withTokens = embedder.lateInteraction !== undefined;
  const found = await results.remember(
    {
      area: { tenant },
      kind: 'embedding',
      of: [embedder.model, withTokens, query],
      schema: Packed,
      ifStillTrue: async (it) => it,
    },
    async (own) => ({ value: pack(await embed(own)), keep: true }),
    signal,
  );
  return unpack(found.value);
}

const embedNow = async (embedder: Embedder, query: string, signal: AbortSignal): Promise<QueryText> =>
  embedder.lateInteraction
    ? embedder.lateInteraction.embedQuery(query, signal)
    : { vector: await embedder.embedQuery(query, signal) };

/** Tells the work to stop when the wait is over; it throws what its signal says. */
async function withinWait<Value>(
  own: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    const message = `The embedding model has not answered within ${waitMs / 1000} seconds.`;
    late.abort(new MemoryError('dependency_unavailable', message, { retry: { kind: 'wait', afterMs: 1000 } }));
  }, waitMs);
  try {
    return await work(own ? AbortSignal.any([own, late.signal]) : late.signal);
  } finally {
    clearTimeout(timer);
  }
}

const pack = ({ vector, tokens }: QueryText): Packed => ({
  vector: toBase64(vector),
  ...(tokens
    ? {
        tokens: {
          values: toBase64(tokens.values),
          scales: toBase64(tokens.scales),
          weights: toBase64(tokens.weights),
        },
      }
    : {}),
});

const unpack = ({ vector, tokens }: Packed): QueryText => ({
  vector: toFloats(vector),
  ...(tokens
    ? {
        tokens: {
          values: new Int8Array(toBytes(tokens.values).buffer),
          scales: toFloats(tokens.scales),
          weights: toFloats(tokens.weights),
        },
      }
    : {}),
});

const toBase64 = ({ buffer, byteOffset, byteLength }: Float32Array | Int8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

/** In memory of their own, aligned for numbers of any size. */
const toBytes = (packed: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(packed, 'base64'));
const toFloats = (packed: string): Float32Array => new Float32Array(toBytes(packed).buffer);
