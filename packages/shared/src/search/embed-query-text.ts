import { z } from 'zod';
import type { Embedder, QueryTokens } from '../ports/embedder.ts';
import type { ResultCache } from './result-cache.ts';

/** A query as the model gives it: its tokens only where the model gives them. */
interface QueryText {
  readonly vector: Float32Array;
  readonly tokens?: QueryTokens;
}

/** Numbers as base64, since the cache keeps JSON. */
const Packed = z.object({
  vector: z.base64(),
  tokens: z.object({ values: z.base64(), scales: z.base64(), weights: z.base64() }).exactOptional(),
});
type Packed = z.infer<typeof Packed>;

/**
 * A query's vector and those of its tokens, from the cache where the tenant has asked the same before. They follow from
 * the model and the words alone, hold no document's text, and so outlive every change of the documents.
 */
export async function embedQueryText(
  results: ResultCache | undefined,
  tenant: string,
  embedder: Embedder,
  query: string,
  signal?: AbortSignal,
): Promise<QueryText> {
  const embed = async (own?: AbortSignal): Promise<QueryText> =>
    embedder.lateInteraction
      ? embedder.lateInteraction.embedQuery(query, own)
      : { vector: await embedder.embedQuery(query, own) };
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
