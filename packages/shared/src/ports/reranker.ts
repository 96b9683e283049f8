import type { QueryTokens } from './embedder.ts';

/** What is asked, as each kind of reranker needs it. */
export interface RerankQuery {
  readonly tenant: string;
  /** The namespace's embedding model. */
  readonly model: string;
  readonly text: string;
  /** Absent where the model has none. */
  readonly tokens?: QueryTokens | undefined;
}

export interface RerankPassage {
  readonly documentId: string;
  readonly version: number;
  readonly index: number;
  readonly title: string;
  readonly text: string;
}

export interface Reranking {
  /** One a passage, higher is better; undefined where a passage could not be scored. */
  readonly scores: readonly (number | undefined)[];
  /** The passages' own vectors up to their length, where they came with the scores. */
  readonly directions?: readonly (Int8Array | undefined)[];
}

/** Looks at the best passages of a search again, closer. */
export interface Reranker {
  /** Up to how many passages it looks at. */
  readonly depth: number;
  /** What a point of its score is worth in the sum of scores. */
  readonly weight: number;
  /** Whether it says anything of such a query. */
  suits(query: RerankQuery): boolean;
  /** @throws MemoryError `dependency_unavailable` where it cannot be had now, `cancelled` by the signal */
  rerank(query: RerankQuery, passages: readonly RerankPassage[], signal?: AbortSignal): Promise<Reranking>;
}
