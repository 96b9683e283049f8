import { MemoryError } from '@semantic-memory/shared/contracts/errors';

/** The document is damaged in a way that its library could not get over. */
export function corrupt(kind: string, cause?: unknown): MemoryError {
  return new MemoryError('corrupt_document', `The ${kind} could not be read: it is damaged or incomplete.`, {
    hint: 'Open it in its own program, save it again, and send the new file.',
    cause,
  });
}

export function encrypted(kind: string, cause?: unknown): MemoryError {
  return new MemoryError('encrypted_document', `The ${kind} is protected by a password.`, {
    hint: 'Remove the password and send it again.',
    cause,
  });
}

/** Whether the engine, not the document's library, gave up: the call stack or a string's or array's length ran out. */
export function isEngineLimit(error: unknown): boolean {
  return error instanceof RangeError && /call stack|Invalid (string|array|typed array)|allocation/i.test(error.message);
}

export function tooComplex(kind: string, cause?: unknown): MemoryError {
  return new MemoryError('limits_exceeded', `The ${kind} is nested too deep or too large to be read.`, {
    hint: 'Split it, or send it in a simpler form.',
    cause,
  });
}
