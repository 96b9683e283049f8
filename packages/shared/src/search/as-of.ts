import { MemoryError } from '../contracts/errors.ts';
import { versionAt } from '../ports/document-transitions.ts';
import type { DocumentRow } from '../ports/ledger.ts';
import { activeCandidates, type Candidates } from './candidates.ts';

const dayMs = 24 * 60 * 60 * 1000;

/**
 * The moment that `asOf` names, in milliseconds since 1970: the present one where it is not over yet.
 * @throws MemoryError `unprocessable` where versions of that time are no longer kept
 */
export function momentOf(asOf: string, nowMs: number, retentionMs: number): number {
  const atMs = Date.parse(asOf);
  if (atMs < nowMs - retentionMs) {
    throw new MemoryError(
      'unprocessable',
      `asOf is longer ago than the ${retentionMs / dayMs} days that versions are kept.`,
      {
        hint: 'VERSION_RETENTION_DAYS says how long; leave asOf out to search the versions that are active now.',
        details: { earliest: new Date(nowMs - retentionMs).toISOString() },
      },
    );
  }
  return Math.min(atMs, nowMs);
}

type SearchArguments = Parameters<typeof activeCandidates> extends [...infer Search, unknown] ? Search : never;

/**
 * As `activeCandidates`, among the versions that were active at a moment. A version that is being moved to history is
 * written there before it is taken away here; so the active chunks are searched first, and it is found in either.
 */
export async function candidatesAt(
  { atMs, atLeast }: { readonly atMs: number; readonly atLeast: number },
  ...search: SearchArguments
): Promise<Candidates> {
  const versionOf = (row: DocumentRow) => versionAt(row, atMs);
  const here = await activeCandidates(...search, { versionOf, atLeast });
  const there = await activeCandidates(...search, { versionOf, atLeast, historyAt: atMs });
  const known = new Set(here.candidates.map((candidate) => candidate.chunkId));
  const more = there.candidates.filter((candidate) => !known.has(candidate.chunkId));
  return { candidates: [...here.candidates, ...more], complete: here.complete && there.complete };
}
