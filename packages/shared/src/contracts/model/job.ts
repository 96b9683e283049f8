import { z } from 'zod';
import { JobError } from '../errors.ts';
import { ModelComparison } from './comparison.ts';
import { DocumentId, JobId, Namespace, Timestamp, Version } from './ids.ts';

export const stageNames = ['fetch', 'parse', 'ocr', 'embed', 'index'] as const;
export const StageName = z.enum(stageNames);
export type StageName = z.infer<typeof StageName>;

export const StageState = z.enum(['pending', 'running', 'waiting', 'done', 'skipped', 'failed', 'cancelled']);
export type StageState = z.infer<typeof StageState>;

export const JobState = z.enum(['queued', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled']);
export type JobState = z.infer<typeof JobState>;

export const terminalStates = ['succeeded', 'partial', 'failed', 'cancelled'] as const satisfies readonly JobState[];

/** Whether a state never changes again, except through a retry. */
export function isTerminal(state: JobState): boolean {
  return (terminalStates as readonly JobState[]).includes(state);
}

export const Stage = z
  .object({
    name: StageName,
    state: StageState,
    attempts: z.int(),
    /** Units finished and in all: bytes for fetch, pages for parse and ocr, chunks for embed and index. */
    done: z.int(),
    total: z.int(),
    startedAt: Timestamp.optional(),
    finishedAt: Timestamp.optional(),
    error: JobError.optional(),
  })
  .meta({ id: 'Stage' });
export type Stage = z.infer<typeof Stage>;

export const JobWarning = z
  .object({ code: z.string(), message: z.string(), page: z.int().optional() })
  .meta({ id: 'JobWarning' });
export type JobWarning = z.infer<typeof JobWarning>;

/** What happens to one version of one document, from the request to the index. */
export const Job = z
  .object({
    id: JobId,
    documentId: DocumentId,
    version: Version,
    namespace: Namespace,
    state: JobState,
    /** The stage that is running, or that comes next. */
    stage: StageName,
    /** From 0 to 1. */
    progress: z.number().min(0).max(1),
    stages: z.array(Stage),
    warnings: z.array(JobWarning),
    error: JobError.optional(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
    finishedAt: Timestamp.optional(),
    etaSeconds: z.number().optional(),
    /** Of a re-index only: how the models compare. */
    comparison: ModelComparison.optional(),
    links: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof Job>;
