import type { ErrorCode } from '@semantic-memory/shared/contracts/errors';
import { type Job, type StageState, stageNames } from '@semantic-memory/shared/contracts/model/job';

/** What happens to a job from its acceptance to its end: accepted, at work, ended. */
export function jobHistory(number: number, documentId: string, fault?: ErrorCode): Job[] {
  const accepted = jobAt(number, documentId, 0, 'pending');
  const running: Job = { ...jobAt(number, documentId, 1, 'pending'), state: 'running', stage: 'embed', progress: 0.5 };
  return [accepted, running, fault ? failedJob(accepted, fault) : finishedJob(accepted)];
}

export function finishedJob(job: Job): Job {
  const ended = jobAt(1, job.documentId, 3, 'done');
  return { ...job, stages: ended.stages, state: 'succeeded', stage: 'index', progress: 1, finishedAt: ended.updatedAt };
}

function failedJob(job: Job, code: ErrorCode): Job {
  const error = { code, message: `The document is ${code}.`, hint: 'Send another one.' };
  return { ...job, state: 'failed', stage: 'parse', finishedAt: job.updatedAt, error };
}

function jobAt(number: number, documentId: string, second: number, state: StageState): Job {
  const id = `job_01J${String(number).padStart(23, '0')}`;
  const time = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
  const times = state === 'done' ? { startedAt: time(0), finishedAt: time(1) } : {};
  return {
    id,
    documentId,
    version: 1,
    namespace: 'default',
    state: 'queued',
    stage: 'parse',
    progress: 0,
    stages: stageNames.map((name) => ({ name, state, attempts: 1, done: 1, total: 1, ...times })),
    warnings: [],
    createdAt: time(0),
    updatedAt: time(second),
    links: { self: `/api/v1/memory/jobs/${id}` },
  };
}
