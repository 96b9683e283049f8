/** What goes over the channel of an embedding process. Both ends are of one build: no versions. */

export interface EmbeddingTask {
  readonly id: number;
  /** With the control tokens at both ends. */
  readonly tokenIds: Int32Array;
}

export type EmbeddingReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly vector: Float32Array }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
