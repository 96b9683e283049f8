import type { JobError } from '../../contracts/errors.ts';
import { isTerminal, type JobWarning, type Stage, type StageName, stageNames } from '../../contracts/model/job.ts';
import type { Manifest } from '../../contracts/model/manifest.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { firstDeliveryId } from '../new-id.ts';
import { sourceTypeOf } from '../next-jobs.ts';

/*
 * How a job's record changes: pure functions from a record to the next one. The ledger applies them by
 * compare-and-set and refuses a transition that the state machine does not know.
 */

/** Warnings beyond this are left out: what the end of a job says goes before what its steps have said. */
const maxWarnings = 100;

/** The share of the whole work that a stage usually is, for the progress number. */
const stageWeights: Record<StageName, number> = { fetch: 1, parse: 2, ocr: 6, embed: 6, index: 1 };

/**
 * The record of a job that was just accepted. A source that came with the request has nothing to fetch, what was
 * recognised as plain text nothing to parse, a version that was imported nothing to read or embed, and a re-index begins
 * with chunks.
 */
export function newJob(manifest: Manifest): JobRecord {
  const stages = stageNames.map((name): Stage => ({ name, state: 'pending', attempts: 0, done: 0, total: 0 }));
  const first = firstStage(manifest);
  for (const stage of stages) {
    if (stage.name === first) break;
    stage.state = 'skipped';
  }
  return {
    id: manifest.jobId,
    tenant: manifest.tenant,
    documentId: manifest.documentId,
    version: manifest.version,
    namespace: manifest.namespace,
    run: 0,
    priority: manifest.priority,
    sourceType: sourceTypeOf(manifest.source),
    ...(manifest.parentJobId ? { parentJobId: manifest.parentJobId } : {}),
    ...(manifest.batchId ? { batchId: manifest.batchId } : {}),
    ...(manifest.callbackUrl ? { deliveryId: firstDeliveryId(manifest.jobId) } : {}),
    state: 'queued',
    stage: first,
    progress: 0,
    stages,
    warnings: [],
    createdAt: manifest.createdAt,
    updatedAt: manifest.createdAt,
  };
}

function firstStage({ imported, original, source }: Manifest): StageName {
  if (source.type === 'reindex') return 'embed';
  if (imported) return 'index';
  if (original?.isPlainText) return 'embed';
  return source.type === 'upload' ? 'parse' : 'fetch';
}

export const stageOf = (job: JobRecord, name: StageName): Stage => job.stages.find((stage) => stage.name === name)!;

function withStage(job: JobRecord, name: StageName, change: Partial<Stage>): Stage[] {
  return job.stages.map((stage) => (stage.name === name ? { ...stage, ...change } : stage));
}

/** From 0 to 1: finished stages and the finished part of the running one, by their usual share. */
function progressOf(stages: readonly Stage[]): number {
  let all = 0;
  let done = 0;
  for (const stage of stages) {
    if (stage.state === 'skipped') continue;
    const weight = stageWeights[stage.name];
    all += weight;
    if (stage.state === 'done') done += weight;
    else if (stage.total > 0) done += weight * Math.min(1, stage.done / stage.total);
  }
  return Math.round((done / all) * 1000) / 1000;
}

function restaged(job: JobRecord, stages: Stage[], at: string, change: Partial<JobRecord> = {}): JobRecord {
  const { etaSeconds: _outdated, ...rest } = job;
  return { ...rest, stages, progress: progressOf(stages), updatedAt: at, ...change };
}

/** The stage runs. A start after a wait for a dependency is no new attempt. */
export function startStage(job: JobRecord, name: StageName, at: string): JobRecord {
  const stage = stageOf(job, name);
  const { error: _gone, ...kept } = stage;
  const attempts = stage.attempts + (stage.state === 'waiting' ? 0 : 1);
  const stages = job.stages.map((other) =>
    other.name === name ? { ...kept, state: 'running' as const, attempts, startedAt: stage.startedAt ?? at } : other,
  );
  return restaged(job, stages, at, { state: 'running', stage: name });
}

/** Units done so far; estimates the rest of this stage from its own speed. */
export function progressStage(job: JobRecord, name: StageName, done: number, total: number, at: string): JobRecord {
  // A ledger that has lost its last writes does not say any more that the stage has begun.
  const { startedAt = at } = stageOf(job, name);
  const elapsedSeconds = (Date.parse(at) - Date.parse(startedAt)) / 1000;
  const eta = done > 0 && total > done ? (elapsedSeconds / done) * (total - done) : undefined;
  return restaged(
    job,
    withStage(job, name, { done, total }),
    at,
    eta === undefined ? {} : { etaSeconds: Math.ceil(eta) },
  );
}

/** The stage is done, some are passed over, and the next one (if any) is up. */
export function finishStage(
  job: JobRecord,
  name: StageName,
  result: {
    readonly done: number;
    readonly total: number;
    readonly next?: { readonly stage: StageName; readonly total: number };
    readonly skipped: readonly StageName[];
    readonly warnings?: readonly JobWarning[];
  },
  at: string,
): JobRecord {
  const stages = job.stages.map((stage): Stage => {
    if (stage.name === name) {
      const total = Math.max(stage.total, result.total);
      return { ...stage, state: 'done', done: Math.max(result.done, total), total, finishedAt: at };
    }
    if (stage.name === result.next?.stage) return { ...stage, total: result.next.total };
    return result.skipped.includes(stage.name) ? { ...stage, state: 'skipped' } : stage;
  });
  return restaged(job, stages, at, {
    warnings: addWarnings(job.warnings, result.warnings ?? []),
    ...(result.next ? { stage: result.next.stage } : {}),
  });
}

/** A dependency is away: the stage waits and goes on by itself. */
export function waitStage(job: JobRecord, name: StageName, error: JobError, at: string): JobRecord {
  return restaged(job, withStage(job, name, { state: 'waiting', error }), at, { state: 'waiting', stage: name });
}

/** A fault of ours: the stage will be tried again. */
export function retryStage(job: JobRecord, name: StageName, error: JobError, at: string): JobRecord {
  return restaged(job, withStage(job, name, { state: 'pending', error }), at);
}

/** Others go first: nothing is wrong, and the start that follows is no new attempt. */
export function makeWayStage(job: JobRecord, name: StageName, at: string): JobRecord {
  const attempts = Math.max(0, stageOf(job, name).attempts - 1);
  return restaged(job, withStage(job, name, { state: 'pending', attempts }), at);
}

export type FinalState = 'succeeded' | 'partial' | 'failed' | 'cancelled';
export type EndedJob = JobRecord & { readonly state: FinalState };

/** The job ends: what ran failed or was cancelled with it, and what had not begun never will. */
export function finishJob(
  job: JobRecord,
  state: FinalState,
  at: string,
  facts: { error?: JobError | undefined; warnings?: readonly JobWarning[] | undefined } = {},
): EndedJob {
  const good = state === 'succeeded' || state === 'partial';
  const error = facts.error ? { error: facts.error } : {};
  const stages = job.stages.map((stage): Stage => {
    if (stage.state === 'done' || stage.state === 'skipped') return stage;
    if (good) return { ...stage, state: 'done', done: stage.total, finishedAt: at };
    if (state === 'cancelled') return { ...stage, state: 'cancelled' };
    return stage.name === job.stage
      ? { ...stage, state: 'failed', finishedAt: at, ...error }
      : { ...stage, state: 'cancelled' };
  });
  const ended = restaged(job, stages, at, {
    finishedAt: at,
    warnings: addWarnings(facts.warnings ?? [], job.warnings),
    ...error,
    ...(good ? { progress: 1 } : {}),
  });
  return { ...ended, state };
}

/**
 * The job begins again where it stopped: what is done stays done.
 * @param deliveryId the call that this run's end owes, where there is one
 */
export function retryRecord(job: JobRecord, at: string, deliveryId?: string): JobRecord {
  // A partial job is done to the end; what it missed is found in OCR.
  const again: readonly StageName[] = job.state === 'partial' ? ['ocr', 'embed', 'index'] : [];
  const stages = job.stages.map((stage): Stage => {
    if (stage.state === 'skipped' || (stage.state === 'done' && !again.includes(stage.name))) return stage;
    return { name: stage.name, state: 'pending', attempts: 0, done: 0, total: stage.total };
  });
  const { error: _error, finishedAt: _finishedAt, ...rest } = job;
  const stage = stages.find((candidate) => candidate.state === 'pending')!.name;
  const owed = deliveryId === undefined ? {} : { deliveryId };
  return restaged({ ...rest, warnings: [] }, stages, at, { state: 'queued', stage, run: job.run + 1, ...owed });
}

function addWarnings(first: readonly JobWarning[], others: readonly JobWarning[]): JobWarning[] {
  const all: JobWarning[] = [];
  for (const warning of [...first, ...others]) {
    if (all.length === maxWarnings) break;
    const known = all.some(
      (other) => other.code === warning.code && other.page === warning.page && other.message === warning.message,
    );
    if (!known) all.push(warning);
  }
  return all;
}

/** Whether a step that was handed out still has to run. */
export function isOpen(job: JobRecord, run: number): boolean {
  return !isTerminal(job.state) && job.run === run;
}
