import { z } from 'zod';

/** The codes that describe a document, not a request and not us: they end a job as `failed`. */
export const documentFaultCodes = [
  'unsupported_type',
  'empty_document',
  'encrypted_document',
  'corrupt_document',
  'too_large',
  'too_many_pages',
  'limits_exceeded',
  'no_text_found',
  'fetch_failed',
  'fetch_forbidden',
  'poison_document',
  'embedding_rejected',
] as const;

/** The codes that describe a request. A job carries one where an item of a batch was refused. */
export const requestFaultCodes = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'request_too_large',
  'unsupported_media_type',
  'unprocessable',
  /** A re-index was refused: the model asked for finds worse. */
  'worse_model',
  'rate_limited',
] as const;

/**
 * Every way in which a request or a document can fail. The set is closed: HTTP and the queue each map it once, and a
 * new code does not compile until both do.
 */
export const errorCodes = [
  ...requestFaultCodes,
  ...documentFaultCodes,
  // A dependency or we ourselves.
  'dependency_unavailable',
  'rebuilding',
  'cancelled',
  'internal',
] as const;

export const ErrorCode = z.enum(errorCodes);
export type ErrorCode = z.infer<typeof ErrorCode>;

export const JobError = z
  .object({ code: ErrorCode, message: z.string(), hint: z.string().optional() })
  .meta({ id: 'JobError', description: 'The error as it stands in a Job.' });
export type JobError = z.infer<typeof JobError>;

export const ErrorBody = z
  .object({
    error: z.object({
      code: ErrorCode,
      message: z.string(),
      hint: z.string().optional().describe('What can be done about it.'),
      details: z.unknown().optional().describe('Such as all faults of a malformed request.'),
      requestId: z.string().describe('As in the header `X-Request-Id` and in the logs.'),
    }),
  })
  .meta({ id: 'Error', description: 'The body of every answer that is not a success.' });
export type ErrorBody = z.infer<typeof ErrorBody>;

/**
 * Whether trying again can help, decided where the error is thrown.
 * - `never`: the same input fails in the same way.
 * - `backoff`: a fault of ours; uses up an attempt.
 * - `wait`: a dependency is away; the job waits and no attempt is used. `afterMs` is the least time to wait; it grows
 *   while the dependency stays away, unless it is `steady`: then the job keeps its own time (it only looks again).
 * - `yield`: nothing is wrong; others go first, then the job goes on from its last checkpoint. No attempt is used.
 * - `elsewhere`: this process has to let go of the job; another one goes on with it, or does so already.
 */
export type Retry =
  | { kind: 'never' }
  | { kind: 'backoff' }
  | { kind: 'wait'; afterMs: number; steady?: boolean }
  | { kind: 'yield' }
  | { kind: 'elsewhere' };

export interface MemoryErrorOptions {
  /** What the reader can do about it. */
  hint?: string;
  /** Structured facts, safe to show to the caller. */
  details?: unknown;
  retry?: Retry;
  cause?: unknown;
}

/** The one error type that crosses module borders. Its message is shown to users: no secrets, no document content. */
export class MemoryError extends Error {
  override readonly name = 'MemoryError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: unknown;
  readonly retry: Retry;

  constructor(code: ErrorCode, message: string, options: MemoryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
    this.retry = options.retry ?? defaultRetry(code);
  }
}

function defaultRetry(code: ErrorCode): Retry {
  if (code === 'dependency_unavailable' || code === 'rebuilding') return { kind: 'wait', afterMs: 1000 };
  if (code === 'internal') return { kind: 'backoff' };
  return { kind: 'never' };
}

/** Anything thrown, as a `MemoryError`; an unknown error becomes `internal` and keeps its cause. */
export function toMemoryError(thrown: unknown): MemoryError {
  if (thrown instanceof MemoryError) return thrown;
  return new MemoryError('internal', 'An unexpected error occurred.', { cause: thrown });
}

/** The error as a Job carries it. */
export function toJobError(error: MemoryError): JobError {
  return { code: error.code, message: error.message, ...(error.hint ? { hint: error.hint } : {}) };
}
