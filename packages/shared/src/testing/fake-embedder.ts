import { createHash } from 'node:crypto';
import type { MemoryError } from '../contracts/errors.ts';
import type { EmbeddedPassage, Embedder, PassageTokens, Token, Tokenizer } from '../ports/embedder.ts';

const usualDimension = 64;

export interface FakeEmbedder extends Embedder {
  /** Every text that was embedded as a passage, in order. */
  readonly embedded: readonly string[];
  /** The next call throws this. */
  failNext(error: MemoryError): void;
}

/**
 * Texts that share words have near vectors. Deterministic, in this process, no model.
 * @param options.lateInteraction whether it gives vectors of tokens too: equal pieces have equal ones
 */
export function createFakeEmbedder(
  model = 'fake-embedder',
  options: { readonly lateInteraction?: boolean } = {},
): FakeEmbedder {
  const dimension = usualDimension;
  const embedded: string[] = [];
  const failures: MemoryError[] = [];
  const begin = (signal: AbortSignal | undefined) => {
    signal?.throwIfAborted();
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  };
  const lateInteraction = {
    dimension: tokenWidth,
    embedPassages: async (texts: readonly string[], signal?: AbortSignal): Promise<EmbeddedPassage[]> => {
      begin(signal);
      embedded.push(...texts);
      return texts.map((text) => ({ vector: bagOfWords(text), tokens: tokenVectors(text) }));
    },
    embedQuery: async (text: string, signal?: AbortSignal) => {
      begin(signal);
      const { starts, ...tokens } = tokenVectors(text);
      return { vector: bagOfWords(text), tokens: { ...tokens, weights: new Float32Array(starts.length).fill(1) } };
    },
  };
  return {
    model,
    dimension,
    maxTokens: 512,
    embedded,
    ...(options.lateInteraction ? { lateInteraction } : {}),
    failNext: (error) => void failures.push(error),
    ready: async () => {},
    embedPassages: async (texts, signal) => {
      begin(signal);
      embedded.push(...texts);
      return texts.map((text) => bagOfWords(text));
    },
    embedQuery: async (text, signal) => {
      begin(signal);
      return bagOfWords(text);
    },
    close: async () => {},
  };
}

/**
 * As the fake embedder, of another model that understands nothing: a query is near to its own text only, not to a passage
 * that holds it.
 */
export function createNoiseEmbedder(model: string): FakeEmbedder {
  const fake = createFakeEmbedder(model);
  return {
    ...fake,
    embedPassages: async (texts, signal) => {
      await fake.embedPassages(texts, signal);
      return texts.map((text) => noise(text));
    },
    embedQuery: async (text) => noise(text),
  };
}

/** A direction that follows from the text as a whole. */
export function noise(text: string, dimension = usualDimension): Float32Array {
  const word = createHash('sha256').update(text).digest('hex');
  return bagOfWords(Array.from({ length: 16 }, (_, at) => `${word}${at}`).join(' '), dimension);
}

/** Words hashed to signed directions, summed, scaled to length 1 (Weinberger et al. 2009). */
export function bagOfWords(text: string, dimension = usualDimension): Float32Array {
  const vector = new Float32Array(dimension);
  for (const word of text.toLowerCase().match(/\p{Script=Han}|[\p{L}\p{N}]+/gu) ?? ['']) {
    const digest = createHash('sha256').update(word).digest();
    for (let i = 0; i < 4; i++) vector[digest[2 * i]! % dimension]! += digest[2 * i + 1]! % 2 === 0 ? 1 : -1;
  }
  const length = Math.hypot(...vector);
  // Words may cancel each other out; a vector of nothing has no direction.
  if (length === 0) vector[0] = 1;
  return vector.map((value) => value / (length || 1));
}

const tokenWidth = 32;

/** A unit vector a piece, by its hash. */
export function tokenVectors(text: string): PassageTokens {
  const tokens = fakeTokenizer.tokenize(text);
  const values = new Int8Array(tokens.length * tokenWidth);
  const scales = tokens.map(({ start, end }, row) => {
    const digest = createHash('sha256').update(text.slice(start, end).toLowerCase()).digest();
    const numbers = Int8Array.from(digest.subarray(0, tokenWidth), (byte) => Math.max(byte - 128, -127));
    values.set(numbers, row * tokenWidth);
    return 1 / Math.hypot(...numbers);
  });
  return { values, scales: Float32Array.from(scales), starts: Int32Array.from(tokens, ({ start }) => start) };
}

/** Ideographs, marks, and words in pieces of up to six letters: about as many as a model's own. */
export const fakeTokenizer: Tokenizer = {
  tokenize: (text) =>
    Array.from(
      text.matchAll(/\p{Script=Han}|[\p{L}\p{N}\p{M}]{1,6}|\S/gu),
      ({ 0: piece, index }): Token => ({ id: piece.codePointAt(0)!, start: index, end: index + piece.length }),
    ),
};
