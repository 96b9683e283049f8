import type { Answer, Citation } from '@semantic-memory/shared/contracts/model/answer';
import type { Job, JobState } from '@semantic-memory/shared/contracts/model/job';
import type { SearchHit } from '@semantic-memory/shared/contracts/model/search';

export interface Page<Item> {
  items: Item[];
  /** Ask again with it for the items that follow; absent at the end. */
  nextCursor?: string;
}

/** What a batch answers at once: one job per item, in the order of the items. */
export interface BatchAccepted {
  batchId: string;
  jobs: Job[];
}

export interface Batch extends BatchAccepted {
  counts: Record<JobState, number>;
}

export interface StoreCounts {
  documents: number;
  chunks: number;
  vectors: number;
  postings: number;
}

export interface Stats extends StoreCounts {
  namespaces: ({ namespace: string } & StoreCounts)[];
  /** Every store agrees with every other. */
  consistent: boolean;
}

export interface QueueState {
  tier: string;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  oldestWaitSeconds: number;
}

export interface ReconcileReport {
  checked: number;
  drift: Record<string, number>;
  repaired: number;
}

/** `ready` is false where a dependency is missing; `body` says which, each by name. */
export interface Health {
  ready: boolean;
  body: unknown;
}

/** The events of a streamed answer, in order. `error` ends the stream by an `ApiError` instead. */
export type RagEvent =
  | { event: 'sources'; data: { answerId: string; hits: SearchHit[] } }
  | { event: 'token'; data: { text: string } }
  | { event: 'citation'; data: Citation }
  | { event: 'done'; data: Answer };
