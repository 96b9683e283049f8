/** What goes over the channel of an embedding process. Both ends are of one build: no versions. */

export interface EmbeddingTask {
  readonly id: number;
  /** With the control tokens at both ends. */
  readonly tokenIds: Int32Array;
  /** Set where the tokens' own vectors are wanted: how many at the beginning are left out, and one at the end. */
  readonly skip?: number | undefined;
  /** Whether it goes before those that wait in the channel, though not before the one that runs. */
  readonly overtakes?: boolean | undefined;
}

/** Quantised unit vectors of tokens: the numbers of each, and what they are to be multiplied by. */
export interface TokenRows {
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

/** What became of a text. */
export type EmbeddingOutcome =
  | { readonly kind: 'done'; readonly vector: Float32Array; readonly tokens?: TokenRows | undefined }
  | { readonly kind: 'failed'; readonly message: string };

export type EmbeddingReport =
  | { readonly kind: 'ready' }
  /** `next` is the one that runs now, where another was there. */
  | ({ readonly id: number; readonly next: number | undefined } & EmbeddingOutcome);
