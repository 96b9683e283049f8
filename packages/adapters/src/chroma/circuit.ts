import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import {
  ChromaConnectionError,
  ChromaForbiddenError,
  ChromaNotFoundError,
  ChromaRateLimitError,
  ChromaServerError,
  ChromaUnauthorizedError,
} from 'chromadb';
import { type BreakerState, createBreaker } from '../breaker/breaker.ts';

export interface ChromaTiming {
  readonly queryMs: number;
  readonly readMs: number;
  /** A write of one batch. */
  readonly writeMs: number;
  /** A living server answers its heartbeat in about a millisecond. */
  readonly heartbeatMs: number;
  /**
   * How often a server that is known to be away is asked for its heartbeat, and one that takes long over a call. Recovery
   * is noticed within this and one heartbeat.
   */
  readonly openMs: number;
}

export const chromaTiming: ChromaTiming = {
  queryMs: 5_000,
  readMs: 10_000,
  writeMs: 60_000,
  heartbeatMs: 2_000,
  openMs: 2_000,
};

const hint = 'The service goes on by itself once Chroma is back.';

export interface Circuit {
  /**
   * Makes one call with a deadline, unless the server is known to be away.
   * @param call gets a signal that cancels its requests when the time is over
   * @throws MemoryError `dependency_unavailable` (away, too slow, failing), `internal` (it refuses what we say);
   * `ChromaNotFoundError` passes through
   */
  run<Result>(withinMs: number, call: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  /** The error that a call would get at once; undefined where it would be tried. */
  outage(): MemoryError | undefined;
}

/** The server gave no answer at all: what the breaker counts. An answer of 500 may be about one broken collection. */
class NoAnswer extends MemoryError {
  readonly timedOut: boolean;

  constructor(timedOut: boolean, cause: unknown) {
    super('dependency_unavailable', timedOut ? 'Chroma did not answer in time.' : 'Chroma cannot be reached.', {
      hint,
      cause,
    });
    this.timedOut = timedOut;
  }
}

/** @param heartbeat any cheap call; it decides whether an open circuit closes, so that no slow write has to */
export function createCircuit(
  heartbeat: (signal: AbortSignal) => Promise<unknown>,
  timing: Pick<ChromaTiming, 'heartbeatMs' | 'openMs'>,
  onState?: (state: BreakerState) => void,
): Circuit {
  const beat = () => withDeadline(timing.heartbeatMs, heartbeat);
  const breaker = createBreaker({
    verdictOf: (error) => (error instanceof NoAnswer ? (error.timedOut ? 'gone' : 'failed') : 'answered'),
    openMs: () => timing.openMs,
    probe: beat,
    onState,
    describe: () => ({ message: 'Chroma does not answer.', hint }),
  });
  return {
    outage: () => breaker.outage(),
    run: (withinMs, call) =>
      breaker.run(() => withDeadline(withinMs, (signal) => besideHeartbeats(signal, timing, beat, call))),
  };
}

/** A busy server may be late once. */
const missesUntilLost = 2;

/**
 * A long write would only learn at its own deadline that nobody is there (a server that was frozen, a network that
 * swallows packets): while it waits, the server's heartbeat is listened for.
 */
async function besideHeartbeats<Result>(
  deadline: AbortSignal,
  { openMs }: Pick<ChromaTiming, 'openMs'>,
  beat: () => Promise<unknown>,
  call: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const lost = new AbortController();
  let over = false;
  let misses = 0;
  let timer = setTimeout(listen, openMs);
  async function listen(): Promise<void> {
    const missed = await beat().then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    if (over) return;
    misses = missed ? misses + 1 : 0;
    if (missed && misses >= missesUntilLost) lost.abort(missed.error);
    else timer = setTimeout(listen, openMs);
  }
  try {
    return await call(AbortSignal.any([deadline, lost.signal]));
  } catch (error) {
    throw lost.signal.aborted ? new NoAnswer(true, error) : error;
  } finally {
    over = true;
    clearTimeout(timer);
  }
}

function away(message: string, cause: unknown): MemoryError {
  return new MemoryError('dependency_unavailable', message, { hint, cause });
}

/** One call with a deadline, its errors mapped as by `Circuit`. */
export async function withDeadline<Result>(
  withinMs: number,
  call: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const signal = AbortSignal.timeout(withinMs);
  try {
    return await call(signal);
  } catch (error) {
    throw chromaFailure(error, signal.aborted);
  }
}

/** What the client threw, as the one error type; "not found" passes, since only the caller knows what it means. */
function chromaFailure(error: unknown, timedOut: boolean): unknown {
  if (error instanceof MemoryError || error instanceof ChromaNotFoundError) return error;
  if (timedOut || error instanceof ChromaConnectionError || isBrokenBody(error)) return new NoAnswer(timedOut, error);
  if (error instanceof ChromaServerError || error instanceof ChromaRateLimitError) {
    return away('Chroma reports a fault of its own.', error);
  }
  if (error instanceof ChromaUnauthorizedError || error instanceof ChromaForbiddenError) {
    return new MemoryError('dependency_unavailable', 'Chroma does not let the service in.', {
      hint: 'Set CHROMA_API_KEY, CHROMA_TENANT and CHROMA_DATABASE to what it knows. Nothing is lost meanwhile.',
      cause: error,
    });
  }
  return new MemoryError('internal', 'Chroma refused a request.', { cause: error });
}

/** The connection broke while the answer was read: the library passes on what fetch throws then. */
const isBrokenBody = (error: unknown): boolean =>
  error instanceof Error && error.name === 'TypeError' && error.message === 'terminated';
