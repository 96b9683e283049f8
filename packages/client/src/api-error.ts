import type { ErrorBody, ErrorCode } from '@semantic-memory/shared/contracts/errors';

/**
 * Why a call failed: one of the service's own codes, or one of four that arise on this side of the wire.
 * - `unreachable`: no answer at all (nothing listens, or the connection was lost).
 * - `timed_out`: no answer within the limit.
 * - `invalid_answer`: something answered that does not speak this protocol, such as a proxy's error page.
 * - `unreadable_file`: a file to be sent is not there, may not be read, or changed while it was sent.
 */
export type ApiErrorCode = ErrorCode | 'unreachable' | 'timed_out' | 'invalid_answer' | 'unreadable_file';

export interface ApiErrorFields {
  /** HTTP status; 0 where there was no answer. */
  status: number;
  code: ApiErrorCode;
  message: string;
  hint?: string | undefined;
  details?: unknown;
  requestId?: string | undefined;
  /** How long the server asked to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** The only error that a client throws, apart from the caller's own abort reason. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: ApiErrorCode;
  readonly hint: string | undefined;
  readonly details: unknown;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(fields: ApiErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.status = fields.status;
    this.code = fields.code;
    this.hint = fields.hint;
    this.details = fields.details;
    this.requestId = fields.requestId;
    this.retryAfterMs = fields.retryAfterMs;
  }
}

/** The error that a response which is not a success carries. Reads its body. */
export async function errorFromResponse(response: Response, url: string): Promise<ApiError> {
  const retryAfterMs = readRetryAfter(response.headers.get('retry-after'));
  const text = await response.text().catch(() => '');
  const error = readErrorBody(text);
  if (error) return new ApiError({ status: response.status, retryAfterMs, ...error });
  return new ApiError({
    status: response.status,
    code: 'invalid_answer',
    message: `${url} answered ${response.status} without an error body of this service.`,
    hint: 'Check that the address is that of the service and not of a proxy or another program.',
    retryAfterMs,
  });
}

function readErrorBody(text: string): ErrorBody['error'] | undefined {
  try {
    const error = (JSON.parse(text) as Partial<ErrorBody> | null)?.error;
    return typeof error?.code === 'string' && typeof error.message === 'string' ? error : undefined;
  } catch {
    // Not JSON: the caller says so.
    return undefined;
  }
}

/** `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), in milliseconds from now. */
function readRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
