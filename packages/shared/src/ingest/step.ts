import { MemoryError } from '../contracts/errors.ts';
import type { StepPayload } from '../contracts/jobs.ts';
import type { JobWarning } from '../contracts/model/job.ts';
import type { Manifest } from '../contracts/model/manifest.ts';
import type { JobRecord } from '../ports/ledger.ts';
import type { StepDeps } from './deps.ts';
import type { UpdateJob } from './jobs/step-record.ts';
import type { StepFacts } from './next-jobs.ts';

/** What the queue knows about this delivery of a step. */
export interface Delivery {
  /** From 1; waits for a dependency do not count. */
  readonly attempt: number;
  readonly lastAttempt: boolean;
  /** How often a process died or froze with this step. */
  readonly stalls: number;
  /** Whether others wait who should go first. */
  readonly makeWay?: () => Promise<boolean>;
  /** Fires when the step has to stop: its time is over, or the process ends. */
  readonly signal: AbortSignal;
}

/** What a step knows of its document version. */
export interface StepContext {
  readonly payload: StepPayload;
  readonly manifest: Manifest;
  /** Fires when the job is cancelled, the step's time is over, or the process ends. */
  readonly signal: AbortSignal;
  /** Says how far the step is; throws where the signal has fired. Cheap to call often. */
  progress(done: number, total: number): Promise<void>;
  /** The job as this step knows it. */
  readonly job: JobRecord;
  /** For a step that ends the job itself. */
  readonly updateJob: UpdateJob;
  /** Whether others wait who should go first: then the step ends by throwing `othersGoFirst()`. Cheap to ask. */
  makeWay(): Promise<boolean>;
  /** Says that new work is stored, which no later run repeats. Answers as `makeWay`. Cheap to call often. */
  checkpoint(): Promise<boolean>;
}

export interface StepResult {
  /** What decides which stage comes next. */
  readonly facts?: StepFacts;
  readonly warnings?: readonly JobWarning[];
  /** How much the next stage has to do, in its units. */
  readonly nextTotal?: number;
  /** The step has ended the job itself: nothing follows. */
  readonly ended?: true;
}

/** What a step throws that makes way: it goes on later, from its last checkpoint. */
export const othersGoFirst = () =>
  new MemoryError('internal', 'Others go first; the step goes on after them.', { retry: { kind: 'yield' } });

/**
 * Reads artifacts, writes artifacts, returns what was found. Runs any number of times to the same effect.
 * @throws MemoryError; anything else counts as a fault of ours
 */
export type Step = (deps: StepDeps, context: StepContext) => Promise<StepResult>;
