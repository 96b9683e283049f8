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
    done: z
      .int()
      .describe('Units finished and in all: bytes for fetch, pages for parse and ocr, chunks for embed and index.'),
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

export const Job = z
  .object({
    id: JobId,
    documentId: DocumentId,
    version: Version,
    namespace: Namespace,
    state: JobState,
    stage: StageName.describe('The stage that is running, or that comes next.'),
    progress: z.number().min(0).max(1).describe('From 0 to 1.'),
    stages: z.array(Stage),
    warnings: z.array(JobWarning),
    error: JobError.optional(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
    finishedAt: Timestamp.optional(),
    etaSeconds: z.number().optional().describe('About how long it still takes.'),
    comparison: ModelComparison.optional().describe('Of a re-index only: how the models compare.'),
    links: z.record(z.string(), z.string()).describe('Paths of what belongs to it.'),
  })
  .meta({ id: 'Job', description: 'What happens to one version of one document, from the request to the index.' });
export type Job = z.infer<typeof Job>;
