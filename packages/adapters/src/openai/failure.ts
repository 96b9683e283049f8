import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { APIConnectionTimeoutError, APIError, APIUserAbortError, OpenAIError } from 'openai';
import { type Breaker, type BreakerState, createBreaker, type Verdict } from '../breaker/breaker.ts';

const shortWaitMs = 2_000;
/** After a 429 that does not say how long. */
const rateLimitWaitMs = 5_000;
/** Somebody has to change the configuration first, or a gateway that lost its model. */
const configurationWaitMs = 20_000;
/** A server that asks for more is asked again after this. */
const maxWaitMs = 3_600_000;

/** The endpoint cannot be used now. */
export class ModelAway extends MemoryError {
  readonly verdict: Verdict;
  readonly afterMs: number;

  constructor(
    message: string,
    options: {
      readonly afterMs?: number;
      readonly cause?: unknown;
      readonly hint?: string;
      readonly verdict?: Verdict;
    },
  ) {
    const { afterMs = shortWaitMs, cause, hint, verdict = 'failed' } = options;
    super('dependency_unavailable', message, {
      ...(hint === undefined ? {} : { hint }),
      retry: { kind: 'wait', afterMs },
      cause,
    });
    this.verdict = verdict;
    this.afterMs = afterMs;
  }
}

/**
 * The breaker of one use of an endpoint. An endpoint that asks for time, or that lets one call wait in vain, is left alone
 * by all of this process. Calls may cost money, so there is no probe: the first one after the pause is the trial.
 */
export function modelBreaker(onState: ((state: BreakerState) => void) | undefined): Breaker {
  return createBreaker({
    verdictOf: (error) => (error instanceof ModelAway ? error.verdict : 'answered'),
    // Nothing else opens it.
    openMs: (error) => Math.max((error as ModelAway).afterMs, 1),
    onState,
    describe: (error) => error as ModelAway,
  });
}

/**
 * What a failed call means for the caller. The server's own words are kept as the cause only: they may quote the input.
 * @param rejected the code where the server refuses the input itself
 */
export function openaiFailure(
  thrown: unknown,
  { rejected, signal }: { rejected: 'embedding_rejected' | 'unprocessable'; signal?: AbortSignal | undefined },
): unknown {
  if (signal?.aborted) return signal.reason;
  if (thrown instanceof APIUserAbortError || thrown instanceof APIConnectionTimeoutError || isTimeout(thrown))
    return new ModelAway('The model did not answer in time.', { cause: thrown, verdict: 'gone' });
  if (!(thrown instanceof APIError)) {
    // Below the protocol: the connection was cut, or what came was no JSON. By name, since fetch's errors may come from
    // another realm than this module's classes.
    const name = thrown instanceof OpenAIError ? 'OpenAIError' : (thrown as Error | undefined)?.name;
    if (name === 'OpenAIError' || name === 'TypeError' || name === 'SyntaxError' || name === 'AbortError')
      return new ModelAway('The connection to the model was lost.', { cause: thrown });
    return thrown;
  }
  const { status } = thrown;
  const asked = retryAfterMs(thrown.headers);
  if (status === 429) {
    const afterMs = asked ?? rateLimitWaitMs;
    return new ModelAway('The model asks to be called less often.', { afterMs, cause: thrown, verdict: 'gone' });
  }
  if (status === 401 || status === 403) return misconfigured('The model refuses the API key.', 'OPENAI_API_KEY');
  if (status === 404) {
    return misconfigured('The endpoint does not know the model.', 'OPENAI_BASE_URL and the model name');
  }
  if (status === 400 || status === 413 || status === 422)
    return new MemoryError(rejected, `The model refuses this input (status ${status}).`, {
      retry: { kind: 'never' },
      cause: thrown,
    });
  return new ModelAway(status === undefined ? 'The model cannot be reached.' : `The model fails (status ${status}).`, {
    cause: thrown,
    ...(asked === undefined ? {} : { afterMs: asked, verdict: 'gone' }),
  });

  function misconfigured(message: string, what: string): ModelAway {
    const hint = `Check ${what}.`;
    return new ModelAway(message, { afterMs: configurationWaitMs, cause: thrown, hint, verdict: 'gone' });
  }
}

/** The signal of a deadline fired, here or in what the library wraps. */
const isTimeout = (thrown: unknown): boolean => (thrown as Error | undefined)?.name === 'TimeoutError';

/** RFC 9110, 10.2.3: seconds or a date; `retry-after-ms` is OpenAI's own, finer one. */
function retryAfterMs(headers: Headers | undefined, now = Date.now()): number | undefined {
  const milliseconds = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  const value = headers?.get('retry-after') ?? '';
  const wait = [milliseconds, value === '' ? Number.NaN : Number(value) * 1000, Date.parse(value) - now].find(
    (candidate) => !Number.isNaN(candidate),
  );
  return wait === undefined ? undefined : Math.min(Math.max(wait, 0), maxWaitMs);
}
