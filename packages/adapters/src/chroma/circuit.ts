import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { ChromaConnectionError, ChromaNotFoundError, ChromaRateLimitError, ChromaServerError } from 'chromadb';
import { CircuitState, circuitBreaker, handleWhen, type IBreaker } from 'cockatiel';

export type BreakerState = 'closed' | 'half_open' | 'open';

export interface ChromaTiming {
  readonly queryMs: number;
  readonly readMs: number;
  /** A write of one batch. */
  readonly writeMs: number;
  /** A living server answers its heartbeat in about a millisecond. */
  readonly heartbeatMs: number;
  /** How long nothing is tried once the server is known to be away: recovery is noticed within this and one call. */
  readonly openMs: number;
}

export const chromaTiming: ChromaTiming = {
  queryMs: 5_000,
  readMs: 10_000,
  writeMs: 60_000,
  heartbeatMs: 2_000,
  openMs: 5_000,
};

/** Refused connections are cheap, and one may be the tail of a restart. */
const failuresUntilOpen = 3;

const states = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
} as const satisfies Record<CircuitState, BreakerState>;

const hint = 'The service goes on by itself once Chroma is back.';

export interface Circuit {
  /**
   * Makes one call with a deadline, unless the server is known to be away.
   * @param call gets a signal that cancels its requests when the time is over
   * @throws MemoryError `dependency_unavailable` (away, too slow, failing), `internal` (it refuses what we say);
   * `ChromaNotFoundError` passes through
   */
  run<Result>(withinMs: number, call: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
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
  let failures = 0;
  const breaker: IBreaker = {
    state: undefined,
    success: () => {
      failures = 0;
    },
    failure: () => {
      failures += 1;
      return failures >= failuresUntilOpen;
    },
  };
  const policy = circuitBreaker(
    handleWhen((error) => error instanceof NoAnswer),
    { halfOpenAfter: timing.openMs, breaker },
  );
  policy.onStateChange((state) => onState?.(states[state]));

  const attempt = <Result>(withinMs: number, call: (signal: AbortSignal) => Promise<Result>): Promise<Result> =>
    policy.execute(async () => {
      try {
        return await withDeadline(withinMs, call);
      } catch (error) {
        // Whoever waits in vain once has waited long enough for all: open at once.
        if (error instanceof NoAnswer && error.timedOut) failures = failuresUntilOpen;
        throw error;
      }
    });

  return {
    async run(withinMs, call) {
      try {
        if (policy.state !== CircuitState.Closed) await attempt(timing.heartbeatMs, heartbeat);
        return await attempt(withinMs, call);
      } catch (error) {
        if (error instanceof MemoryError || error instanceof ChromaNotFoundError) throw error;
        throw away('Chroma has not answered; the next attempt is in a few seconds.', error);
      }
    },
  };
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
  return new MemoryError('internal', 'Chroma refused a request.', { cause: error });
}

/** The connection broke while the answer was read: the library passes on what fetch throws then. */
const isBrokenBody = (error: unknown): boolean =>
  error instanceof Error && error.name === 'TypeError' && error.message === 'terminated';
