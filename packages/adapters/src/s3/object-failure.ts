import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { nameOf, s3Failure, statusOf } from './failure.ts';

/** The key, its secret or the region are not what the server expects: an operator has to act, and the job waits. */
const settings = new Set([
  'AuthorizationHeaderMalformed',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'PermanentRedirect',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
]);

/** Statuses below 500 that may be others when they are asked again. */
const passing = new Set([408, 425, 429]);

export interface Ends {
  /** Of whoever asked. */
  readonly signal: AbortSignal;
  readonly timeout: AbortSignal;
  readonly timeoutMs: number;
}

/**
 * What a call for somebody's object threw: `fetch_failed` (not there, or it cannot be given), `fetch_forbidden` (the
 * server refuses it), `cancelled`, else as `s3Failure`. The cause is kept; it holds no secrets.
 */
export function objectFailure(thrown: unknown, { signal, timeout, timeoutMs }: Ends): MemoryError {
  if (signal.aborted) {
    if (signal.reason instanceof MemoryError) return signal.reason;
    return new MemoryError('cancelled', 'Fetching from the bucket was cancelled.', { cause: thrown });
  }
  if (timeout.aborted) {
    return new MemoryError('fetch_failed', `The S3 server did not deliver within ${timeoutMs / 1000} s.`, {
      retry: { kind: 'backoff' },
      cause: thrown,
    });
  }
  const error = s3Failure(thrown, false);
  const { cause } = error;
  const [name, status = 0] = [nameOf(cause), statusOf(cause)];
  if (name === 'NoSuchKey') return failed('There is no such object in the bucket.', 'Check its key.', cause);
  if (name === 'NoSuchBucket') {
    return failed('There is no such bucket.', 'Check its name, or have an operator check SOURCE_S3_ENDPOINT.', cause);
  }
  if (name === 'InvalidObjectState') return failed('The object is archived.', 'Restore it first.', cause);
  if (status === 401 || settings.has(name)) {
    return new MemoryError('dependency_unavailable', 'The S3 server refuses the credentials or settings.', {
      hint: 'An operator has to check the SOURCE_S3_… settings. The service goes on by itself then.',
      cause,
    });
  }
  if (status === 403) {
    return new MemoryError('fetch_forbidden', 'The S3 server does not let this service read there.', {
      hint: "The bucket's owner can let the key of SOURCE_S3_ACCESS_KEY_ID list it and read its objects.",
      cause,
    });
  }
  if (status >= 400 && status < 500 && !passing.has(status)) {
    return failed(`The S3 server answered with status ${status}.`, 'It will say the same again.', cause);
  }
  return error;
}

const failed = (message: string, hint: string, cause: unknown) =>
  new MemoryError('fetch_failed', message, { hint, cause });
