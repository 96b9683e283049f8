import { z } from 'zod';
import { JobError } from '../../contracts/errors.ts';
import { ModelComparison } from '../../contracts/model/comparison.ts';
import { Timestamp } from '../../contracts/model/ids.ts';
import { JobWarning, Stage, StageName } from '../../contracts/model/job.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { encodeJson, readJson } from './artifacts.ts';
import { committedKey, outcomeKey, type VersionRef } from './blob-keys.ts';

/** What steps found out about a version: see the port `VersionFacts`. */
const StoredFacts = z.object({
  mediaType: z.string().exactOptional(),
  title: z.string().exactOptional(),
  pages: z.int().exactOptional(),
  chunks: z.int().exactOptional(),
  bytes: z.int().exactOptional(),
  sha256: z.string().exactOptional(),
  run: z.int().exactOptional(),
});

export const Outcome = z
  .object({
    schemaVersion: z.literal(1),
    run: z
      .int()
      .min(0)
      .default(0)
      .describe("Which run of the job ended so; a retry begins another, for which this one's end means nothing."),
    state: z.enum(['succeeded', 'partial', 'failed', 'cancelled', 'aborted']),
    error: JobError.optional(),
    warnings: z.array(JobWarning).optional(),
    at: Timestamp,
    activeFrom: Timestamp.optional().describe(
      'When the version first became active, where that was before `at`: a retry has read more pages of it.',
    ),
    facts: StoredFacts.optional().describe(
      'What the document shows of the version; absent where it was not committed.',
    ),
    job: z
      .object({
        stage: StageName,
        progress: z.number(),
        stages: z.array(Stage),
        comparison: ModelComparison.optional(),
      })
      .optional()
      .describe('What the job shows beside: from these the ledger is rebuilt.'),
  })
  .describe(
    "How a version ended: the durable fact behind a job's terminal state. `succeeded` and `partial` are written once its " +
      'chunks were seen in the index; `aborted` means that the request was never accepted.',
  );
export type Outcome = z.infer<typeof Outcome>;

export const readOutcome = (blobs: BlobStore, ref: VersionRef) => readJson(blobs, outcomeKey(ref), Outcome);

/** When a version that was committed became active: what `asOf` goes by, also after a rebuild. */
export const activeFromOf = (outcome: Outcome): string => outcome.activeFrom ?? outcome.at;

/** How a version was committed by a run before the one that is under way or has ended otherwise. */
const Commitment = z.object({ activeFrom: Timestamp, facts: StoredFacts.optional() });
export type Commitment = z.infer<typeof Commitment>;

/** Keeps how a version was committed, while a retry takes its outcome away. */
export const keepCommitment = (blobs: BlobStore, ref: VersionRef, outcome: Outcome): Promise<void> =>
  blobs.put(committedKey(ref), encodeJson({ activeFrom: activeFromOf(outcome), facts: outcome.facts }));

export const keptCommitment = (blobs: BlobStore, ref: VersionRef): Promise<Commitment | undefined> =>
  readJson(blobs, committedKey(ref), Commitment);

/** When an earlier run of the version became active; undefined where none did. */
export const keptActiveFrom = async (blobs: BlobStore, ref: VersionRef): Promise<string | undefined> =>
  (await keptCommitment(blobs, ref))?.activeFrom;

/**
 * Since when a version counts as committed, or undefined where it never was. A retry that failed or was cancelled takes
 * nothing away from what was committed before it.
 */
export async function committedFrom(blobs: BlobStore, ref: VersionRef): Promise<string | undefined> {
  const outcome = await readOutcome(blobs, ref);
  if (outcome?.state === 'succeeded' || outcome?.state === 'partial') return activeFromOf(outcome);
  return keptActiveFrom(blobs, ref);
}

/** Forgets how a version ended, since it is tried again. */
export const removeOutcome = (blobs: BlobStore, ref: VersionRef) => blobs.remove(outcomeKey(ref));

/**
 * Writes how a version ended, unless that is decided already: of a commit, a failure and a cancel at the same time,
 * one wins. Returns the outcome that stands.
 */
export async function writeOutcomeOnce(
  blobs: BlobStore,
  ref: VersionRef,
  outcome: Omit<Outcome, 'schemaVersion'>,
): Promise<Outcome> {
  for (;;) {
    const mine: Outcome = { schemaVersion: 1, ...outcome };
    if (await blobs.putIfAbsent(outcomeKey(ref), encodeJson(mine))) return mine;
    const standing = await readOutcome(blobs, ref);
    if (standing && standing.run >= outcome.run) return standing;
    // Left by a retry that died before it could take the end of the run before away.
    if (standing) await removeOutcome(blobs, ref);
  }
}
