import type { JobError } from '../contracts/errors.ts';
import { documentFaultCodes } from '../contracts/errors.ts';
import { isTerminal, type JobWarning } from '../contracts/model/job.ts';
import type { JobRecord } from '../ports/ledger.ts';
import type { IngestDeps } from './deps.ts';
import { type EndedJob, type FinalState, finishJob } from './jobs/job-record.ts';
import type { UpdateJob } from './jobs/step-record.ts';
import type { VersionRef } from './stored/blob-keys.ts';
import { type Outcome, writeOutcomeOnce } from './stored/outcome.ts';
import { removePending } from './stored/pending.ts';
import { announceEnd } from './webhooks/webhook-outbox.ts';

export interface EndedVersion extends VersionRef {
  readonly namespace: string;
  readonly jobId: string;
  readonly run: number;
}

/**
 * Ends a job: first the durable fact, then the ledger, then the marker. Whoever writes the fact first decides; the
 * others follow it, except to a success that is not theirs. The job comes back as it stands then, open.
 */
export async function endJob(
  deps: IngestDeps,
  version: EndedVersion,
  state: FinalState,
  facts: EndFacts & { readonly job: JobRecord },
  update?: UpdateJob,
): Promise<JobRecord | undefined> {
  const at = new Date(deps.clock.now()).toISOString();
  const { error, job } = facts;
  const outcome = await writeOutcomeOnce(deps.blobs, version, {
    state,
    run: version.run,
    at,
    ...(error ? { error } : {}),
    ...endedRecord(job, state, at, facts),
  });
  // The commit has decided and may not have flipped yet: until a search finds the version only the commit goes on.
  const isCommits = outcome.state !== state && (outcome.state === 'succeeded' || outcome.state === 'partial');
  if (isCommits) return deps.ledger.getJob(version.tenant, version.jobId);
  return followOutcome(deps, version, outcome, update);
}

interface EndFacts {
  readonly error?: JobError | undefined;
  readonly warnings?: readonly JobWarning[] | undefined;
}

/** What the durable outcome keeps of a job, so that it can be shown again where the ledger is lost. */
export function endedRecord(job: JobRecord, state: FinalState, at: string, facts: EndFacts = {}) {
  const { stage, progress, stages, warnings, comparison } = finishJob(job, state, at, facts);
  const shown = { stage, progress, stages, ...(comparison ? { comparison } : {}) };
  return { job: shown, ...(warnings.length > 0 ? { warnings } : {}) };
}

/**
 * Makes the ledger say what the durable outcome says, unless a later run has begun. Repeating it changes nothing.
 * @param update how the step that is running changes the job's record; by default whoever has it
 */
export async function followOutcome(
  deps: IngestDeps,
  version: Omit<EndedVersion, 'run'>,
  outcome: Outcome,
  update: UpdateJob = (change) => deps.ledger.updateJob(version.tenant, version.jobId, change),
): Promise<JobRecord | undefined> {
  const state = outcome.state === 'aborted' ? 'cancelled' : outcome.state;
  if (state === 'failed' || state === 'cancelled') {
    const error = outcome.error ?? { code: 'cancelled', message: 'The job was cancelled.' };
    await deps.ledger.failVersion(version, version.documentId, version.version, error, outcome.at);
  }
  let ended: EndedJob | undefined;
  const job = await update((current) => {
    ended = undefined;
    if (isTerminal(current.state) || current.run > outcome.run) return undefined;
    ended = finishJob(current, state, outcome.at, outcome);
    return ended;
  });
  if (ended) await tellEnd(deps, ended);
  await removePending(deps.blobs, version.jobId);
  return job;
}

/**
 * Ends the job of a version whose document was deleted. There is no fact to write: the tombstone is it, and nothing may
 * be written where the document was.
 */
export async function endDeleted(deps: IngestDeps, version: Omit<EndedVersion, 'run'>): Promise<void> {
  let ended: EndedJob | undefined;
  const at = new Date(deps.clock.now()).toISOString();
  await deps.ledger.updateJob(version.tenant, version.jobId, (current) => {
    ended = undefined;
    if (isTerminal(current.state)) return undefined;
    ended = finishJob(current, 'cancelled', at, { error: { code: 'cancelled', message: 'The document was deleted.' } });
    return ended;
  });
  if (ended) await tellEnd(deps, ended);
  await removePending(deps.blobs, version.jobId);
}

async function tellEnd(deps: IngestDeps, job: EndedJob): Promise<void> {
  countEnd(deps, job);
  await announceEnd(deps, job);
}

function countEnd(deps: IngestDeps, job: EndedJob): void {
  const fault = job.error !== undefined && (documentFaultCodes as readonly string[]).includes(job.error.code);
  const outcome = job.state === 'failed' ? (fault ? 'rejected' : 'failed') : job.state;
  deps.metrics.documentFinished(outcome, job.error?.code ?? 'none');
  deps.metrics.ingestDuration(job.sourceType, (deps.clock.now() - Date.parse(job.createdAt)) / 1000);
}
