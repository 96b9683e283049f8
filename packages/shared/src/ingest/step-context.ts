import type { StepPayload } from '../contracts/jobs.ts';
import type { StageName } from '../contracts/model/job.ts';
import type { Manifest } from '../contracts/model/manifest.ts';
import type { StepDeps } from './deps.ts';
import { progressStage } from './jobs/job-record.ts';
import { childrenKilled, survive } from './jobs/poison.ts';
import type { StepRecord } from './jobs/step-record.ts';
import type { Delivery, StepContext } from './step.ts';

/** Progress is written at most this often. */
const progressEveryMs = 500;

/** What a step is given, and how far it has come by then. */
export function createContext(
  deps: StepDeps,
  payload: StepPayload,
  manifest: Manifest,
  stage: StageName,
  record: StepRecord,
  { signal, stalls, makeWay = async () => false }: Delivery,
): { context: StepContext; reached: () => { done: number; total: number } } {
  let writtenAt = deps.clock.now();
  let latest = { done: 0, total: 0 };
  let survived = stalls === 0 && childrenKilled(record.job) === 0;
  const context: StepContext = {
    payload,
    manifest,
    signal,
    get job() {
      return record.job;
    },
    updateJob: record.update,
    progress: async (done, total) => {
      signal.throwIfAborted();
      latest = { done, total };
      // A step that is over sooner says it all at its end.
      const at = deps.clock.now();
      if (at - writtenAt < progressEveryMs) return;
      writtenAt = at;
      await record.update((job) => progressStage(job, stage, done, total, new Date(at).toISOString()));
    },
    makeWay,
    checkpoint: async () => {
      if (!survived) {
        survived = true;
        await record.update((job) => survive(job, stage, stalls));
      }
      return makeWay();
    },
  };
  return { context, reached: () => latest };
}
