import type { StepName } from '../contracts/jobs.ts';
import type { StageName } from '../contracts/model/job.ts';
import type { StoredSource } from '../contracts/model/source.ts';
import type { QueuedJob } from '../ports/job-queue.ts';
import type { JobRecord } from '../ports/ledger.ts';

/** What a finished step found out that decides what comes next. */
export interface StepFacts {
  /** The source is many documents: they go their own ways, and the job only waits for them. */
  readonly manyDocuments?: boolean;
  /** Pages without text of their own. */
  readonly ocrPages?: number;
}

/** The whole order of the flow. Returns the stage that follows, and those that are passed over. */
export function nextStage(
  finished: Exclude<StageName, 'index'>,
  facts: StepFacts,
): { next: StageName; skipped: StageName[] } {
  switch (finished) {
    case 'fetch':
      return facts.manyDocuments
        ? { next: 'index', skipped: ['parse', 'ocr', 'embed'] }
        : { next: 'parse', skipped: [] };
    case 'parse':
      return facts.ocrPages ? { next: 'ocr', skipped: [] } : { next: 'embed', skipped: ['ocr'] };
    case 'ocr':
      return { next: 'embed', skipped: [] };
    case 'embed':
      return { next: 'index', skipped: [] };
  }
}

/** What a job says that its source is: its type, and of a bucket whether it is one object or many. */
export const sourceTypeOf = (source: StoredSource): string =>
  source.type === 's3' && source.prefix !== undefined ? 's3-prefix' : source.type;

/** Whether the source of a job is many documents, each with a job of its own. */
export const isManyDocuments = (sourceType: string): boolean => ['git', 's3-prefix', 'import'].includes(sourceType);

/** Whether a job has no document of its own. */
export const hasNoDocument = (sourceType: string): boolean => isManyDocuments(sourceType) || sourceType === 'reindex';

/** The step that a job is at, as the queue carries it. */
export function currentStep(job: JobRecord): QueuedJob {
  const { tenant, namespace, documentId, version, id: jobId, run, priority } = job;
  const payload = { schemaVersion: 1 as const, tenant, namespace, documentId, version, jobId, run };
  return { name: stepAt(job), payload, priority };
}

function stepAt({ sourceType, stage }: JobRecord): StepName {
  if (sourceType === 'reindex') return stage === 'index' ? 'switch' : 'fill';
  // A job of many documents has nothing to index: it waits for theirs to end.
  if (isManyDocuments(sourceType) && stage === 'index') return 'settle';
  return sourceType === 'import' && stage === 'fetch' ? 'import' : stage;
}
