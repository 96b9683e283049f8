import { MemoryError } from '../errors.ts';
import type { JobState } from './job.ts';

/**
 * Which states may follow which. The last four are terminal: only a retry leaves them, and it begins a new run.
 * A queued job may end at once where its outcome is known already (rebuilt after a loss, or cancelled).
 * A job may also stay in its state while its stages move.
 */
export const jobTransitions = {
  queued: ['running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled'],
  running: ['waiting', 'succeeded', 'partial', 'failed', 'cancelled'],
  waiting: ['running', 'succeeded', 'partial', 'failed', 'cancelled'],
  succeeded: [],
  partial: ['queued'],
  failed: ['queued'],
  cancelled: ['queued'],
} as const satisfies Record<JobState, readonly JobState[]>;

/** @throws MemoryError `conflict` where the state machine does not know the step, or a run is not counted up. */
export function assertTransition(
  from: { readonly id: string; readonly state: JobState; readonly run: number },
  to: { readonly state: JobState; readonly run: number },
): void {
  const isRetry = to.state === 'queued' && from.state !== 'queued';
  const known = from.state === to.state || (jobTransitions[from.state] as readonly JobState[]).includes(to.state);
  if (!known || to.run !== from.run + (isRetry ? 1 : 0)) {
    throw new MemoryError('conflict', `Job ${from.id} is ${from.state} and cannot become ${to.state}.`);
  }
}
