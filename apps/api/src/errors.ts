import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorBody, MemoryError, toMemoryError } from '@semantic-memory/shared/contracts/errors';
import { errorStatus } from '@semantic-memory/shared/contracts/http/error-status';
import type { z } from 'zod';

export interface HttpError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

/** Where there is no better number: the queue's own steps retry in a second, a caller need not be faster. */
const defaultRetryAfterMs = 1000;

/** Anything thrown, as the answer that the caller gets. What is not ours to tell (a stack, a cause) stays here. */
export function toHttpError(thrown: unknown, requestId: string): HttpError {
  const error = thrown instanceof MemoryError ? thrown : (bodyParserError(thrown) ?? toMemoryError(thrown));
  const status = errorStatus[error.code];
  const headers: Record<string, string> = {};
  const { retry } = error;
  if (status === 429 || status === 503 || retry.kind === 'wait') {
    const afterMs = retry.kind === 'wait' ? retry.afterMs : defaultRetryAfterMs;
    headers['retry-after'] = String(Math.max(1, Math.ceil(afterMs / 1000)));
  }
  // RFC 6750 section 3: the challenge says how to authenticate.
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  const { code, message, hint, details } = error;
  return {
    status,
    headers,
    body: {
      error: { code, message, ...(hint ? { hint } : {}), ...(details === undefined ? {} : { details }), requestId },
    },
  };
}

/** What Express's parsers and router throw, told by the type or status that they put on their errors. */
function bodyParserError(thrown: unknown): MemoryError | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { type, status, limit } = thrown as { type?: unknown; status?: unknown; limit?: unknown };
  if (type === 'entity.too.large') {
    return new MemoryError('request_too_large', `The body is larger than ${limit} bytes.`, { cause: thrown });
  }
  if (type === 'entity.parse.failed') {
    return new MemoryError('invalid_request', 'The body is not JSON.', { cause: thrown });
  }
  if (status === 415) {
    return new MemoryError('unsupported_media_type', 'The body comes in an encoding that is not understood.', {
      hint: 'Send UTF-8, uncompressed or with gzip, deflate or br.',
      cause: thrown,
    });
  }
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new MemoryError('invalid_request', 'The request is malformed.', { cause: thrown });
  }
  return undefined;
}

/** One fault of a request: where, and what. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** All faults that a schema found, each with its place such as `body.filter.$and[0]`. */
export function faultsOf(error: z.ZodError, root: string): Fault[] {
  return error.issues.flatMap((issue): Fault[] => {
    const path = pathOf(root, issue.path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: pathOf(path, [key]), message: 'is not known here' }));
    }
    return [{ path, message: issue.message }];
  });
}

function pathOf(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((so, key) => (typeof key === 'number' ? `${so}[${key}]` : `${so}.${String(key)}`), root);
}

/** The error that lists them all. */
export function invalidRequest(faults: readonly Fault[]): MemoryError {
  const first = faults[0];
  const message =
    first && faults.length === 1 ? `${first.path}: ${first.message}` : `The request has ${faults.length} faults.`;
  return new MemoryError('invalid_request', message, { details: { faults: faults.slice(0, listedFaults) } });
}

/** A request with more faults was not written by hand: the answer need not be as long as it. */
const listedFaults = 100;

/** How long, and how much, a caller may go on sending after its request was refused. */
const lingerMs = 2000;
const lingerBytes = 64 * 1024 * 1024;

/**
 * Sends an error. Where the body is still coming, the rest is thrown away for a moment before the connection closes:
 * closed at once, the caller would see a broken connection and not the answer.
 */
export function sendError(request: IncomingMessage, response: ServerResponse, error: HttpError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = JSON.stringify(error.body);
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.statusCode = error.status;
  if (request.complete || request.destroyed) {
    response.end(text);
    return;
  }
  response.setHeader('connection', 'close');
  response.write(text);
  let left = lingerBytes;
  const timer = setTimeout(() => response.end(), lingerMs);
  const finish = () => {
    clearTimeout(timer);
    response.end();
  };
  request.on('data', (piece: Buffer) => {
    left -= piece.length;
    if (left < 0) finish();
  });
  request.once('end', finish);
  request.once('close', finish);
  request.resume();
}
