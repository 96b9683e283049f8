import { documentFaultCodes, type ErrorCode, toMemoryError } from '@semantic-memory/shared/contracts/errors';

/**
 * What the queue does with a step that threw. This is the only place where errors become the queue's business.
 * - `fail`: over, whatever attempts are left.
 * - `retry`: uses up an attempt; the queue waits longer each time.
 * - `wait`: the step goes back as if it had not been tried.
 * - `yield`: the same, and its turn comes after those of others who wait.
 */
export type QueueAction =
  | { readonly kind: 'fail'; readonly outcome: 'rejected' | 'failed' }
  | { readonly kind: 'retry'; readonly outcome: 'failed' }
  | { readonly kind: 'wait'; readonly outcome: 'waiting'; readonly afterMs: number }
  | { readonly kind: 'yield' };

/** Waiting steps come back spread over this share of their time, so that a dependency is not met by all at once. */
const jitter = 0.2;

/**
 * A step that waits looks again after at most this (and the jitter), where the dependency did not ask for more. With the
 * two seconds after which a breaker has noticed a return, every step goes on within 15 s of it; ten thousand waiting steps
 * are a thousand looks a second.
 */
const longestLookMs = 10_000;

/**
 * @param waits how often this step has waited already
 * @param random from 0 to 1
 */
export function queueActionFor(thrown: unknown, waits = 0, random: () => number = Math.random): QueueAction {
  const { code, retry } = toMemoryError(thrown);
  switch (retry.kind) {
    case 'never':
      return { kind: 'fail', outcome: isDocumentFault(code) ? 'rejected' : 'failed' };
    case 'backoff':
      return { kind: 'retry', outcome: 'failed' };
    case 'wait': {
      const grown = retry.steady ? 0 : Math.min(longestLookMs, retry.afterMs * 2 ** Math.min(waits, 20));
      const afterMs = Math.max(retry.afterMs, grown);
      return { kind: 'wait', outcome: 'waiting', afterMs: Math.round(afterMs * (1 + jitter * random())) };
    }
    case 'elsewhere':
      return { kind: 'wait', outcome: 'waiting', afterMs: 0 };
    case 'yield':
      return { kind: 'yield' };
  }
}

/** The user's fault or wish, not ours. */
const isDocumentFault = (code: ErrorCode) =>
  code === 'cancelled' || (documentFaultCodes as readonly ErrorCode[]).includes(code);
