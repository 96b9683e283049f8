import { ApiError } from '@semantic-memory/client/api-error';
import type { Client } from '@semantic-memory/client/client';
import { pause } from './fleet/managed-process.ts';
import { type RunState, violate } from './run-state.ts';
import type { Slot } from './slots.ts';

/**
 * How a request ended.
 * - `answered`: with a success. `refused`: with an error that says that nothing was done.
 * - `unanswered`: the run ended before the service said anything definite.
 */
export type Outcome<Result> =
  | { readonly kind: 'answered'; readonly result: Result; readonly doubtful: boolean }
  | { readonly kind: 'refused'; readonly error: ApiError; readonly doubtful: boolean }
  | { readonly kind: 'unanswered' };

export interface InsistOptions {
  /** Whether a 503 is an answer, as long as no earlier try may have been heard. */
  readonly takesNo?: boolean;
  /** A 409 that another try may turn into an answer: the first request with its key is still under way. */
  readonly repeatsConflict?: boolean;
  /**
   * Whether what was answered 503 may have been done all the same, or go on: Redis may die between a change and its
   * answer, and a delete that broke off in the middle is carried out. Only an ingest promises that nothing comes of it.
   */
  readonly goesOn?: boolean;
  readonly giveUpAt: () => number;
}

const pauseMs = 400;

/**
 * Repeats a request until its answer is definite, as a careful user does: after a lost connection it may have been
 * heard (`doubtful`), after a 503 only where nothing promises that it was not (`goesOn`).
 */
export async function insist<Result>(
  state: RunState,
  slot: Slot,
  what: string,
  call: (client: Client) => Promise<Result>,
  options: InsistOptions,
): Promise<Outcome<Result>> {
  let doubtful = false;
  while (Date.now() < options.giveUpAt()) {
    const sentAt = Date.now();
    try {
      const result = await call(state.clientOf(slot.tenant));
      return { kind: 'answered', result, doubtful };
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown;
      const { status, code, message } = thrown;
      const tookMs = Date.now() - sentAt;
      state.history.write({ type: 'no answer', document: slot.key, what, status, code, message, tookMs });
      if (status === 503 || status === 429) {
        state.refusalsMs.push(tookMs);
        if (options.takesNo && !doubtful) return { kind: 'refused', error: thrown, doubtful };
        if (options.goesOn && status === 503) doubtful = true;
      } else if (status === 409 && options.repeatsConflict && /under way/.test(message)) {
        // Asked again below.
      } else if (status === 0 || status >= 500) {
        if (status === 500) violate(state, 'internal_error', `${what}: ${message}`, slot);
        // Nobody took the connection: nobody heard it.
        if (!/ECONNREFUSED/.test(message)) doubtful = true;
      } else return { kind: 'refused', error: thrown, doubtful };
      await pause(Math.max(pauseMs, thrown.retryAfterMs ?? 0));
    }
  }
  violate(state, 'unanswered', `${what} got no definite answer`, slot);
  return { kind: 'unanswered' };
}
