import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { GitRun } from './run-git.ts';

/** What git says (in English, by LC_ALL=C) and what it means. What is not here may pass. */
const meanings: readonly { said: RegExp; message: string; hint?: string }[] = [
  {
    said: /couldn't find remote ref|not our ref|no such remote ref|unadvertised object|invalid refspec/i,
    message: 'The repository has no such branch, tag or commit.',
    hint: 'Commits are named by all 40 characters.',
  },
  {
    said: /could not read Username|Authentication failed|returned error: 40[13]/i,
    message: 'The repository needs a sign-in, or does not exist.',
    hint: 'Only public repositories can be fetched.',
  },
  { said: /repository '.*' not found|returned error: 404/i, message: 'There is no repository at the address.' },
  {
    said: /returned error: 30[12378]|unable to update url base from redirection/i,
    message: 'The address redirects, which is not followed for repositories.',
    hint: 'Give the address that it redirects to, often the one ending in .git.',
  },
  {
    said: /not valid: is this a git repository|dumb http transport|unexpected .* packet|invalid server response/i,
    message: 'There is no repository at the address, or its server cannot give a part of it.',
  },
  { said: /invalid path|malformed|fsck error|bad object|corrupt/i, message: 'The repository is damaged.' },
];

/** What a failed git means. What it said goes into the cause: it may quote the address, and users see the message. */
export function gitFailure(run: GitRun): MemoryError {
  const cause = new Error(`git ended with ${run.status ?? 'a signal'}: ${run.stderr.trim()}`);
  const meaning = meanings.find(({ said }) => said.test(run.stderr));
  if (meaning) {
    return new MemoryError('fetch_failed', meaning.message, {
      ...(meaning.hint ? { hint: meaning.hint } : {}),
      retry: { kind: 'never' },
      cause,
    });
  }
  return new MemoryError('fetch_failed', 'The repository could not be fetched.', { retry: { kind: 'backoff' }, cause });
}
