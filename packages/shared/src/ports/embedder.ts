import type { MemoryError } from '../contracts/errors.ts';

/** Turns text into unit vectors. */
export interface Embedder {
  /** Names the vector space: texts of two models are never compared. */
  readonly model: string;
  /** Numbers in a vector. Known after `ready`. */
  readonly dimension: number;
  /** The most tokens that one text may have; what is beyond is cut. */
  readonly maxTokens: number;
  /** Loads the model, or finds out the dimension. */
  ready(): Promise<void>;
  /**
   * One L2-normalised vector per text, in order.
   * @param owner whose texts they are: where many wait, the owners take turns
   * @throws MemoryError `embedding_rejected` where the text itself is refused, `dependency_unavailable` where the
   * model is away (with the time to wait, where it said so).
   */
  embedPassages(texts: readonly string[], signal?: AbortSignal, owner?: string): Promise<Float32Array[]>;
  /** As passages, with the model's query prefix. */
  embedQuery(text: string, signal?: AbortSignal): Promise<Float32Array>;
  /** There where the model also gives a vector for each token, out of the same run. */
  readonly lateInteraction?: LateInteraction | undefined;
  /** The error that a call would get at once; undefined where it would be tried. */
  outage?(): MemoryError | undefined;
  close(): Promise<void>;
}

/** Token vectors beside the text's own (late interaction: Khattab and Zaharia 2020). Errors as those of `Embedder`. */
export interface LateInteraction {
  /** Numbers in a token's vector; a multiple of 16. */
  readonly dimension: number;
  embedPassages(texts: readonly string[], signal?: AbortSignal, owner?: string): Promise<EmbeddedPassage[]>;
  embedQuery(text: string, signal?: AbortSignal): Promise<EmbeddedQueryText>;
}

/**
 * Unit vectors of a text's tokens, without the control tokens and a query's prefix: token `i` has the numbers
 * `values[i * dimension …]`, each times `scales[i]`.
 */
export interface TokenVectors {
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

export interface PassageTokens extends TokenVectors {
  /** Where each token begins in the text that was embedded, in UTF-16 code units. */
  readonly starts: Int32Array;
}

export interface QueryTokens extends TokenVectors {
  /** How much each token counts: rare ones more. */
  readonly weights: Float32Array;
}

export interface EmbeddedPassage {
  readonly vector: Float32Array;
  readonly tokens: PassageTokens;
}

export interface EmbeddedQueryText {
  readonly vector: Float32Array;
  readonly tokens: QueryTokens;
}

export interface Token {
  readonly id: number;
  /** Half-open range in UTF-16 code units of the text. */
  readonly start: number;
  readonly end: number;
}

/** Counts as the model counts. Fast: millions of tokens a second, safe on the main loop for ordinary texts. */
export interface Tokenizer {
  /** The text's tokens without special tokens. */
  tokenize(text: string): Token[];
}
