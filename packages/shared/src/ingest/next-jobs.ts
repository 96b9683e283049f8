import type { StepName, StepPayload } from '../contracts/jobs.ts';
import type { Priority } from '../contracts/model/ids.ts';
import type { StageName } from '../contracts/model/job.ts';
import type { StoredSource } from '../contracts/model/source.ts';
import type { QueuedJob } from '../ports/job-queue.ts';

/** What a finished step found out that decides what comes next. */
export interface StepFacts {
  /** The source is many documents: they go their own ways, and the job only waits for them. */
  readonly manyDocuments?: boolean;
  /** Pages without text of their own. */
  readonly ocrPages?: number;
}

/** The whole order of the flow. Returns the stages that follow, and those that are passed over. */
export function nextStage(finished: StageName, facts: StepFacts): { next?: StepName; skipped: StageName[] } {
  switch (finished) {
    case 'fetch':
      return facts.manyDocuments
        ? { next: 'settle', skipped: ['parse', 'ocr', 'embed'] }
        : { next: 'parse', skipped: [] };
    case 'parse':
      return facts.ocrPages ? { next: 'ocr', skipped: [] } : { next: 'embed', skipped: ['ocr'] };
    case 'ocr':
      return { next: 'embed', skipped: [] };
    case 'embed':
      return { next: 'index', skipped: [] };
    case 'index':
      return { skipped: [] };
    default: {
      const never: never = finished;
      throw new Error(`unknown stage ${String(never)}`);
    }
  }
}

/** What a source needs first: bytes that came with the request need not be fetched. */
export function firstStage(source: StoredSource): StageName {
  return source.type === 'upload' ? 'parse' : 'fetch';
}

/** A step of the flow as the queue carries it. */
export function queuedStep(name: StepName, payload: StepPayload, priority: Priority): QueuedJob {
  return { name, payload, priority };
}
