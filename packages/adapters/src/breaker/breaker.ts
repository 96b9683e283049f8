import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import {
  CircuitState,
  circuitBreaker,
  handleWhen,
  type IBackoff,
  type IBreaker,
  type IHalfOpenAfterBackoffContext,
} from 'cockatiel';

export type BreakerState = 'closed' | 'half_open' | 'open';

/**
 * What a failed call says about the other side:
 * - `answered`: it is there; it refused, or reports a fault of its own.
 * - `failed`: no answer, which may be the tail of a restart. Several in a row open the circuit.
 * - `gone`: it was waited for in vain, or asks to be left alone. Whoever waits in vain once has waited for all.
 */
export type Verdict = 'answered' | 'failed' | 'gone';

export interface BreakerOptions {
  readonly verdictOf: (error: unknown) => Verdict;
  /** How long nothing is tried after `error`. */
  readonly openMs: (error: unknown) => number;
  /**
   * A cheap call that decides whether the circuit closes: it is made by itself, so that no caller has to wait for it and
   * recovery is noticed without any. Without one, the first call after the pause is the trial.
   */
  readonly probe?: (() => Promise<unknown>) | undefined;
  /** Told of every change. */
  readonly onState?: ((state: BreakerState) => void) | undefined;
  /** What callers are told while nothing is tried: the error that opened the circuit, in our words. */
  readonly describe: (error: unknown) => { readonly message: string; readonly hint?: string | undefined };
}

export interface Breaker {
  /** Makes the call, or throws `outage()` where the other side is known to be away. */
  run<Result>(call: () => Promise<Result>): Promise<Result>;
  /** The error that a call would get at once; undefined where it would be tried. */
  outage(): MemoryError | undefined;
  /** Ends the probing. */
  dispose(): void;
}

/** Refused connections are cheap, and one may be the tail of a restart. */
const failuresUntilOpen = 3;
/** A caller need not be faster than this. */
const leastWaitMs = 500;

const names = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
} as const satisfies Record<CircuitState, BreakerState>;

/**
 * Keeps callers from waiting, one after the other, for something that is known to be away. The state machine is
 * cockatiel's; what is added is what counts as away, a pause that the other side may name, and the probe.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  const { verdictOf, probe } = options;
  let failures = 0;
  let opened: { readonly error: unknown; readonly until: number } | undefined;
  let reported: BreakerState = 'closed';
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;

  const report = (state: BreakerState) => {
    if (state === reported) return;
    reported = state;
    options.onState?.(state);
  };

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
  const pauseAfter = ({ result }: IHalfOpenAfterBackoffContext): IBackoff<IHalfOpenAfterBackoffContext> => {
    // No value counts as a failure, only what was thrown.
    const { error } = result as { readonly error: unknown };
    opened = { error, until: performance.now() + options.openMs(error) };
    // The pause is kept here, by a clock that is never set: cockatiel goes by the time of day, and a trial that came a
    // millisecond early for it, or after the clock was set back, would be refused and be the last one.
    return { duration: Number.NEGATIVE_INFINITY, next: pauseAfter };
  };
  const policy = circuitBreaker(
    handleWhen((error) => verdictOf(error) !== 'answered'),
    { halfOpenAfter: { next: pauseAfter }, breaker },
  );
  policy.onStateChange((state) => {
    report(names[state]);
    if (state === CircuitState.Open) scheduleTrial();
    if (state === CircuitState.Closed) opened = undefined;
  });

  function scheduleTrial(): void {
    clearTimeout(timer);
    if (disposed || !opened) return;
    timer = setTimeout(
      () => {
        // What the probe meets is told by the state.
        if (probe) attempt(probe).catch(() => {});
        else report('half_open');
      },
      Math.max(0, opened.until - performance.now()),
    );
    timer.unref();
  }

  const attempt = <Result>(call: () => Promise<Result>): Promise<Result> =>
    policy.execute(async () => {
      try {
        return await call();
      } catch (error) {
        const verdict = verdictOf(error);
        if (verdict === 'gone') failures = failuresUntilOpen;
        else if (verdict === 'answered') failures = 0;
        throw error;
      }
    });

  function outage(): MemoryError | undefined {
    if (policy.state === CircuitState.Closed || !opened) return undefined;
    const leftMs = opened.until - performance.now();
    if (!probe && policy.state === CircuitState.Open && leftMs <= 0) return undefined;
    const { message, hint } = options.describe(opened.error);
    return new MemoryError('dependency_unavailable', message, {
      ...(hint === undefined ? {} : { hint }),
      retry: { kind: 'wait', afterMs: Math.max(leastWaitMs, leftMs) },
      cause: opened.error,
    });
  }

  return {
    outage,
    async run(call) {
      const error = outage();
      if (error) {
        // A caller that asks again and again must not keep the event loop from everything else.
        await nextTurn();
        throw error;
      }
      return attempt(call);
    },
    dispose() {
      disposed = true;
      clearTimeout(timer);
    },
  };
}
