import { createHash } from 'node:crypto';
import type { MemoryError } from '../contracts/errors.ts';
import type { Embedder, Token, Tokenizer } from '../ports/embedder.ts';

const dimension = 64;

export interface FakeEmbedder extends Embedder {
  /** Every text that was embedded as a passage, in order. */
  readonly embedded: readonly string[];
  /** The next call throws this. */
  failNext(error: MemoryError): void;
}

/** Texts that share words have near vectors. Deterministic, in this process, no model. */
export function createFakeEmbedder(model = 'fake-embedder'): FakeEmbedder {
  const embedded: string[] = [];
  const failures: MemoryError[] = [];
  const begin = (signal: AbortSignal | undefined) => {
    signal?.throwIfAborted();
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  };
  return {
    model,
    dimension,
    maxTokens: 512,
    embedded,
    failNext: (error) => void failures.push(error),
    ready: async () => {},
    embedPassages: async (texts, signal) => {
      begin(signal);
      embedded.push(...texts);
      return texts.map(bagOfWords);
    },
    embedQuery: async (text, signal) => {
      begin(signal);
      return bagOfWords(text);
    },
    close: async () => {},
  };
}

/** Words hashed to signed directions, summed, scaled to length 1 (Weinberger et al. 2009). */
export function bagOfWords(text: string): Float32Array {
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

/** Ideographs, marks, and words in pieces of up to six letters: about as many as a model's own. */
export const fakeTokenizer: Tokenizer = {
  tokenize: (text) =>
    Array.from(
      text.matchAll(/\p{Script=Han}|[\p{L}\p{N}\p{M}]{1,6}|\S/gu),
      ({ 0: piece, index }): Token => ({ id: piece.codePointAt(0)!, start: index, end: index + piece.length }),
    ),
};
