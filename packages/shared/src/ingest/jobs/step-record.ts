import type { StepPayload } from '../../contracts/jobs.ts';
import type { StageName } from '../../contracts/model/job.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import type { IngestDeps } from '../deps.ts';
import { isOpen, stageOf, startStage } from './job-record.ts';

/** A step that is over sooner is never recorded as running: it says all of it at its end, in one write. */
const sayRunningAfterMs = 1000;

/** Changes a job by compare-and-set, as the ledger's `updateJob` does. */
export type UpdateJob = (change: (job: JobRecord) => JobRecord | undefined) => Promise<JobRecord | undefined>;

/** The job's record while one step of it runs. */
export interface StepRecord {
  /** As this step knows it: its stage runs. */
  readonly job: JobRecord;
  /** As the ledger has it, which may not say yet that the step has begun. */
  readonly recorded: JobRecord;
  /**
   * Changes the job while this run of it is open and the stage is not done, and only then; one change after the other.
   * Where another worker has done the stage meanwhile, the job is further than this step knows.
   */
  readonly update: UpdateJob;
  /** Says no more by itself. */
  close(): void;
}

/**
 * Holds the record of a job whose step has begun. Most steps of short documents take some milliseconds: that they
 * began is written together with what comes of it, and by itself only where they last.
 * @param job the record as it was just read
 * @param begun the stage is recorded as running already, and this is no new start
 */
export function openStepRecord(
  deps: Pick<IngestDeps, 'ledger' | 'clock' | 'logger'>,
  payload: StepPayload,
  stage: StageName,
  job: JobRecord,
  begun: boolean,
): StepRecord {
  const startedAt = new Date(deps.clock.now()).toISOString();
  let known = job;
  let isBegun = begun;
  const change: UpdateJob = async (next) => {
    let changed = false;
    const after = await deps.ledger.updateJob(
      payload.tenant,
      payload.jobId,
      (current) => {
        const after =
          isOpen(current, payload.run) && stageOf(current, stage).state !== 'done'
            ? next(isBegun ? current : startStage(current, stage, startedAt))
            : undefined;
        changed = after !== undefined;
        return after;
      },
      known,
    );
    if (after) known = after;
    if (changed) isBegun = true;
    return after;
  };
  let last: Promise<unknown> = Promise.resolve();
  const update: UpdateJob = (next) => {
    const mine = last.then(() => change(next));
    last = mine.catch(() => {});
    return mine;
  };
  const timer = setTimeout(() => {
    if (isBegun) return;
    update((current) => current).catch((error: unknown) =>
      deps.logger.debug('ledger away while a step runs', { jobId: payload.jobId, error }),
    );
  }, sayRunningAfterMs);
  return {
    get job() {
      return isBegun ? known : startStage(known, stage, startedAt);
    },
    get recorded() {
      return known;
    },
    update,
    close: () => clearTimeout(timer),
  };
}
