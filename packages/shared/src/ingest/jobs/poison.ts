import { MemoryError } from '../../contracts/errors.ts';
import type { StageName } from '../../contracts/model/job.ts';
import type { JobRecord } from '../../ports/ledger.ts';

/** A document that has killed its parser, or the process around it, this often is not tried again. */
export const maxKills = 3;

/** Stages in which a document's content is at work, and can kill what works on it. */
export const riskyStages: readonly StageName[] = ['parse', 'ocr', 'embed'];
/** In the others it is more than any series of restarts. */
const maxKillsElsewhere = 20;

/** Child processes that died of the work, by the error that says so: for this process only, no answer shows it. */
const deaths = new WeakMap<MemoryError, number>();

/**
 * A fault of ours to say to the queue, until it shows that it is the document's.
 * @param kills how many child processes the work has cost by now
 */
export function crashError(message: string, cause: unknown, kills = 1): MemoryError {
  const error = new MemoryError('internal', message, { retry: { kind: 'backoff' }, cause });
  deaths.set(error, kills);
  return error;
}

/** How many child processes died of the work, rather than that it failed in one; 0 where none did. */
export const killsOf = (error: MemoryError): number => deaths.get(error) ?? 0;

export const isPoison = (job: JobRecord, stage: StageName, stalls: number): boolean =>
  riskyStages.includes(stage)
    ? killsInARow(job, stage, stalls) >= maxKills
    : stallsInARow(job, stage, stalls) >= maxKillsElsewhere;

/**
 * How many processes died in a row of a run of a job and with nothing to show for it: workers with this stage at work, and
 * children in any stage.
 * @param stalls how many workers died in all, as the queue counts
 */
export const killsInARow = (job: JobRecord, stage: StageName, stalls: number): number =>
  stallsInARow(job, stage, stalls) + childrenKilled(job);

function stallsInARow({ survived, run }: JobRecord, stage: StageName, stalls: number): number {
  return survived?.stage === stage && survived.run === run ? stalls - survived.stalls : stalls;
}

/** Children that died of this run of a job since it last stored anything within a stage. */
export const childrenKilled = ({ killed, run }: JobRecord): number => (killed?.run === run ? killed.children : 0);

/** The record after more child processes have died. */
export function addKills(job: JobRecord, kills: number): JobRecord {
  return kills === 0 ? job : { ...job, killed: { run: job.run, children: childrenKilled(job) + kills } };
}

/** The record after new work was stored: what died before has not been in vain, and is not held against the document. */
export function survive({ killed: _forgiven, ...job }: JobRecord, stage: StageName, stalls: number): JobRecord {
  return { ...job, survived: { stage, run: job.run, stalls } };
}

/** @param kills how many processes it took down */
export function poison(stage: StageName, kills: number, cause?: unknown): MemoryError {
  return new MemoryError(
    'poison_document',
    `The document has killed what works on it ${kills} times, in the end in stage ${stage}, and is not tried again.`,
    {
      hint: 'Open it and save it anew, or convert it to PDF, and send it again.',
      cause,
    },
  );
}
