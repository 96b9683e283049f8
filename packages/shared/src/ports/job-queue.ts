import type { JobName, JobPayload, Tier } from '../contracts/jobs.ts';
import type { Priority } from '../contracts/model/ids.ts';

export type QueuedJob = {
  [Name in JobName]: {
    name: Name;
    payload: JobPayload<Name>;
    priority?: Priority;
    delayMs?: number;
    /** The span that sends it (W3C Trace Context), for the run that takes it up. */
    traceparent?: string;
  };
}[JobName];

export interface QueueCounts {
  readonly tier: Tier;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
  /** Age of the oldest waiting job; 0 where none waits. */
  readonly oldestWaitSeconds: number;
}

/** Hands steps to the tiers. Adding the same job (by its dedupe id) twice is adding it once. */
export interface JobQueue {
  add(jobs: readonly QueuedJob[]): Promise<void>;
  counts(): Promise<QueueCounts[]>;
  close(): Promise<void>;
}
