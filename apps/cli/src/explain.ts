import { ApiError } from '@semantic-memory/client/api-error';
import { type Io, printable } from './io.ts';

/** Tells a failure in words: what happened, what to try, what to quote when asking for help. */
export function explain(thrown: unknown, io: Io): void {
  if (!(thrown instanceof ApiError)) {
    io.err(`error: ${printable((thrown as Error).message)}\n`);
    return;
  }
  io.err(`error: ${printable(thrown.message)} (${thrown.code})\n`);
  const hint = hintOf(thrown);
  if (hint) io.err(`hint: ${hint}\n`);
  if (thrown.details !== undefined) io.err(`details: ${JSON.stringify(thrown.details)}\n`);
  if (thrown.requestId) io.err(`request: ${thrown.requestId}\n`);
}

/** What to try after a failure of the service's own, or of the way to it. */
export function hintOf(error: ApiError): string | undefined {
  if (error.code === 'unreachable') {
    return 'Is it running? Start it with "make up", or name its address by --url or SEMANTIC_MEMORY_URL.';
  }
  if (error.code === 'unauthenticated' && !error.hint) return 'Make another token: semantic-memory token.';
  return error.hint;
}
