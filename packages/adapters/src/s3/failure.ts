import { MemoryError } from '@semantic-memory/shared/contracts/errors';

const hint = 'Nothing was lost. The service goes on by itself once the S3 server answers again.';
const operatorHint = 'Check the S3_… settings, and that the key may read, write, delete and list in the bucket.';

/** What the server calls requests that no waiting makes right: they are faults of ours. */
const ours = new Set(['EntityTooLarge', 'InvalidArgument', 'InvalidPart', 'InvalidPartOrder', 'MalformedXML']);
/** The bucket, the key or the region are not what the server expects: an operator has to act. */
const settings = new Set([
  'NoSuchBucket',
  'AuthorizationHeaderMalformed',
  'PermanentRedirect',
  'ExpiredToken',
  'InvalidToken',
]);

interface ServiceError {
  readonly name?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export const statusOf = (error: unknown) => (error as ServiceError | null)?.$metadata?.httpStatusCode;
export const nameOf = (error: unknown) => (error as ServiceError | null)?.name ?? '';

/** The object is not there. A bucket that is not there is another matter: then nothing is known. */
export const isAbsent = (error: unknown): boolean => error instanceof MemoryError && error.code === 'not_found';

/** A conditional write found the key taken. */
export const isTaken = (error: unknown): boolean => error instanceof MemoryError && error.code === 'conflict';

/** A conditional write met another write or delete of the key under way: undecided, to be tried again. */
export const isUndecided = (error: unknown): boolean =>
  error instanceof MemoryError && nameOf(error.cause) === 'ConditionalRequestConflict';

/**
 * What a call threw, as the one error type: `not_found` (no such object), `conflict` (a condition does not hold),
 * `internal` (the server refuses what we say), else `dependency_unavailable`. The cause is kept; it holds no secrets.
 * @param timedOut the call was given up because its time was over
 */
export function s3Failure(thrown: unknown, timedOut: boolean): MemoryError {
  if (thrown instanceof MemoryError) return thrown;
  const cause = thrown;
  if (timedOut) return away('The S3 server did not answer in time.', hint, cause);
  const name = nameOf(thrown);
  const status = statusOf(thrown);
  if (name === 'NoSuchKey') return new MemoryError('not_found', 'The content is not in the blob store.', { cause });
  if (name === 'PreconditionFailed' || status === 412)
    return new MemoryError('conflict', 'There is a blob with this key.', { cause });
  if (name === 'NoSuchBucket') return away('The S3 bucket does not exist.', operatorHint, cause);
  if (status === 401 || status === 403 || settings.has(name))
    return away('The S3 server refuses the credentials or settings.', operatorHint, cause);
  if (thrown instanceof TypeError || ours.has(name))
    return new MemoryError('internal', 'The S3 server refused a request.', { cause });
  if (status === 429 || status === 503) return away('The S3 server asks for fewer requests.', hint, cause);
  if (status === 507) return away('The S3 server has no room left.', hint, cause);
  if (status !== undefined && status >= 400) return away('The S3 server reports a fault.', hint, cause);
  return away('The S3 server cannot be reached.', hint, cause);
}

function away(message: string, what: string, cause: unknown): MemoryError {
  return new MemoryError('dependency_unavailable', message, { hint: what, cause });
}
