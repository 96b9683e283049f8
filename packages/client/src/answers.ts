import type { Ready } from '@semantic-memory/shared/contracts/http/health';
import type { Answer, Citation } from '@semantic-memory/shared/contracts/model/answer';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
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
  body: Ready;
}

/** The events of a streamed answer, in order. `error` ends the stream by an `ApiError` instead. */
export type RagEvent =
  | { event: 'sources'; data: { answerId: string; hits: SearchHit[] } }
  | { event: 'token'; data: { text: string } }
  | { event: 'citation'; data: Citation }
  | { event: 'done'; data: Answer };
