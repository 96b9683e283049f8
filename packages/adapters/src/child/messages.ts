import type { ErrorCode } from '@semantic-memory/shared/contracts/errors';
import { MemoryError, type Retry } from '@semantic-memory/shared/contracts/errors';

/** Results larger than this travel through a file: Node's channel copies a large message several times. */
export const maxInlineResultChars = 256 * 1024;

/** A job on its way to a child. */
export interface JobMessage {
  readonly id: number;
  readonly job: unknown;
  /** Where a large result goes. */
  readonly resultPath: string;
}

/** What comes back: once that the child is there, then for each job signs of life and one result or one error. */
export type ReplyMessage =
  | { readonly id: 0; readonly type: 'ready' }
  | { readonly id: number; readonly type: 'progress' }
  | { readonly id: number; readonly type: 'done'; readonly json: string }
  | { readonly id: number; readonly type: 'done-in-file' }
  | { readonly id: number; readonly type: 'failed'; readonly error: ErrorMessage };

export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: unknown;
  readonly retry: Retry;
  /** Name and stack of what was thrown, for the log of an `internal` error. */
  readonly cause?: string;
}

export function toErrorMessage(error: MemoryError): ErrorMessage {
  return {
    code: error.code,
    message: error.message,
    retry: error.retry,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.details === undefined ? {} : { details: error.details }),
    ...(error.cause instanceof Error ? { cause: error.cause.stack ?? error.cause.message } : {}),
  };
}

export function fromErrorMessage(error: ErrorMessage): MemoryError {
  return new MemoryError(error.code, error.message, {
    retry: error.retry,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.details === undefined ? {} : { details: error.details }),
    ...(error.cause === undefined ? {} : { cause: new Error(error.cause) }),
  });
}
