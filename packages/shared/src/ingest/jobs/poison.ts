import { MemoryError } from '../../contracts/errors.ts';
import type { StageName } from '../../contracts/model/job.ts';
import type { JobRecord } from '../../ports/ledger.ts';

/** A document that has killed its parser, or the process around it, this often is not tried again. */
export const maxKills = 3;

/** Stages in which a document's content is at work, and can kill what works on it. */
export const riskyStages: readonly StageName[] = ['parse', 'ocr', 'embed'];
/** In the others it is more than any series of restarts. */
const maxKillsElsewhere = 20;

/** The fact in an error's details that a child process died of the work, rather than failed at it. */
const crashed = { childDied: true } as const;

/** A fault of ours to say to the queue, until it shows that it is the document's. */
export function crashError(message: string, cause: unknown): MemoryError {
  return new MemoryError('internal', message, { retry: { kind: 'backoff' }, details: crashed, cause });
}

export const isCrash = ({ details }: MemoryError): boolean =>
  typeof details === 'object' && details !== null && 'childDied' in details;

export const isPoison = (job: JobRecord, stage: StageName, stalls: number): boolean =>
  killsInARow(job, stage, stalls) >= (riskyStages.includes(stage) ? maxKills : maxKillsElsewhere);

/**
 * How many processes died in a row with this stage at work and nothing to show for it.
 * @param stalls how many died in all, as the queue counts
 */
export function killsInARow(job: JobRecord, stage: StageName, stalls: number): number {
  const { survived } = job;
  return survived?.stage === stage && survived.run === job.run ? stalls - survived.stalls : stalls;
}

/** The record after new work was stored: what died before has not been in vain, and is not held against the document. */
export function survive(job: JobRecord, stage: StageName, stalls: number): JobRecord {
  return { ...job, survived: { stage, run: job.run, stalls } };
}

export function poison(stage: StageName, kills: number, cause?: unknown): MemoryError {
  return new MemoryError(
    'poison_document',
    `The document broke stage ${stage} ${kills} times and is not tried again.`,
    {
      hint: 'Open it and save it anew, or convert it to PDF, and send it again.',
      cause,
    },
  );
}
