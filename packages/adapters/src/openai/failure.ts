import { MemoryError, type MemoryErrorOptions } from '@semantic-memory/shared/contracts/errors';
import { APIError, APIUserAbortError, OpenAIError } from 'openai';

const shortWaitMs = 2_000;
/** After a 429 that does not say how long. */
const rateLimitWaitMs = 5_000;
/** Somebody has to change the configuration first. */
const configurationWaitMs = 60_000;
/** A server that asks for more is asked again after this. */
const maxWaitMs = 3_600_000;

/**
 * What a failed call means for the caller. The server's own words are kept as the cause only: they may quote the input.
 * @param rejected the code where the server refuses the input itself
 */
export function openaiFailure(
  thrown: unknown,
  { rejected, signal }: { rejected: 'embedding_rejected' | 'unprocessable'; signal?: AbortSignal | undefined },
): unknown {
  if (thrown instanceof MemoryError) return thrown;
  if (signal?.aborted) return signal.reason;
  if (thrown instanceof APIUserAbortError) return away('The model did not answer in time.', shortWaitMs, thrown);
  if (!(thrown instanceof APIError)) {
    // Below the protocol: the connection was cut, or what came was no JSON. By name, since fetch's errors may come from
    // another realm than this module's classes.
    const name = thrown instanceof OpenAIError ? 'OpenAIError' : (thrown as Error | undefined)?.name;
    if (name === 'OpenAIError' || name === 'TypeError' || name === 'SyntaxError' || name === 'AbortError')
      return away('The connection to the model was lost.', shortWaitMs, thrown);
    return thrown;
  }
  const { status } = thrown;
  const asked = retryAfterMs(thrown.headers);
  if (status === 429) return away('The model asks to be called less often.', asked ?? rateLimitWaitMs, thrown);
  if (status === 401 || status === 403)
    return away('The model refuses the API key.', configurationWaitMs, thrown, { hint: 'Check OPENAI_API_KEY.' });
  if (status === 404)
    return away('The endpoint does not know the model.', configurationWaitMs, thrown, {
      hint: 'Check OPENAI_BASE_URL and the model name.',
    });
  if (status === 400 || status === 413 || status === 422)
    return new MemoryError(rejected, `The model refuses this input (status ${status}).`, {
      retry: { kind: 'never' },
      cause: thrown,
    });
  return away(
    status === undefined ? 'The model cannot be reached.' : `The model fails (status ${status}).`,
    asked ?? shortWaitMs,
    thrown,
  );
}

export function away(
  message: string,
  afterMs: number,
  cause: unknown,
  options: Pick<MemoryErrorOptions, 'hint'> = {},
): MemoryError {
  return new MemoryError('dependency_unavailable', message, { ...options, retry: { kind: 'wait', afterMs }, cause });
}

/** RFC 9110, 10.2.3: seconds or a date; `retry-after-ms` is OpenAI's own, finer one. */
function retryAfterMs(headers: Headers | undefined, now = Date.now()): number | undefined {
  const milliseconds = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  const value = headers?.get('retry-after') ?? '';
  const wait = [milliseconds, value === '' ? Number.NaN : Number(value) * 1000, Date.parse(value) - now].find(
    (candidate) => !Number.isNaN(candidate),
  );
  return wait === undefined ? undefined : Math.min(Math.max(wait, 0), maxWaitMs);
}
