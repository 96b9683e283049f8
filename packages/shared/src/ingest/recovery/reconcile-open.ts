import { jobRegistry, type Tier } from '../../contracts/jobs.ts';
import { isTerminal } from '../../contracts/model/job.ts';
import type { Manifest } from '../../contracts/model/manifest.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { removeClaim } from '../accept.ts';
import { endDeleted, endJob } from '../finish.ts';
import { endWithParent } from '../jobs/cancel.ts';
import type { FinalState } from '../jobs/job-record.ts';
import { currentStep } from '../next-jobs.ts';
import { manifestKey, pendingKey, pendingPrefix } from '../stored/blob-keys.ts';
import { isDamage } from '../stored/damage.ts';
import { readOutcome } from '../stored/outcome.ts';
import { readPending, removePending } from '../stored/pending.ts';
import { readRun } from '../stored/run-record.ts';
import { forEachAtOnce } from '../stored/walk-store.ts';
import { compareDocument, type ReconcileDeps, requestMs } from './compare-document.ts';
import type { Findings } from './findings.ts';

/** A job that has not moved for this long may have fallen out of a queue that is empty. */
const quietMs = 60_000;
/** The same where the queue is busy: most likely the job only waits its turn. */
const quietInBusyQueueMs = 10 * 60_000;
const atOnce = 8;
/** A command that timed out may wait in a socket and be carried out for so long. */
const lateMs = 10 * 60_000;
/** Open jobs that the ledger is asked for: more are found once these have ended. */
const maxOpenJobs = 20_000;

interface OpenScope {
  readonly tenant?: string | undefined;
  readonly tailLost?: boolean;
}

/**
 * Compares what is on its way, from both sides: every version that has not ended has a marker in the blob store, and
 * every job that has not ended is in the ledger's list.
 */
export async function reconcileOpen(deps: ReconcileDeps, findings: Findings, scope: OpenScope): Promise<void> {
  const patience = await patienceByTier(deps, scope.tailLost ?? false);
  const youngerThanMs = scope.tailLost ? 0 : requestMs;
  const marked = new Set<string>();
  await forEachAtOnce(deps.blobs.list(pendingPrefix), atOnce, async (key) => {
    try {
      const marker = await readPending(deps.blobs, key);
      if (!marker || (scope.tenant !== undefined && marker.tenant !== scope.tenant)) return;
      marked.add(marker.jobId);
      findings.checked += 1;
      await repairMarked(deps, findings, marker, patience, youngerThanMs);
    } catch (error) {
      if (!isDamage(error)) throw error;
      deps.logger.error('an open version cannot be compared', { key, error });
      findings.found('damaged', 1, 0);
    }
  });
  for (const { tenant, jobId } of await deps.ledger.openJobs(maxOpenJobs)) {
    if (marked.has(jobId) || (scope.tenant !== undefined && tenant !== scope.tenant)) continue;
    findings.checked += 1;
    await repairUnmarked(deps, findings, tenant, jobId, youngerThanMs);
  }
}

/** How long a job may stand still in a tier before it is handed out again, in ms. */
async function patienceByTier(deps: ReconcileDeps, tailLost: boolean): Promise<(tier: Tier) => number> {
  if (tailLost) return () => 0;
  const busy = (await deps.queue.counts()).filter(({ waiting, active, delayed }) => waiting + active + delayed > 0);
  const tiers = new Set(busy.map(({ tier }) => tier));
  return (tier) => (tiers.has(tier) ? quietInBusyQueueMs : quietMs);
}

async function repairMarked(
  deps: ReconcileDeps,
  findings: Findings,
  marker: Manifest,
  patience: (tier: Tier) => number,
  youngerThanMs: number,
): Promise<void> {
  const { tenant, documentId, jobId } = marker;
  const age = deps.clock.now() - Date.parse(marker.createdAt);
  const outcome = await readOutcome(deps.blobs, marker);
  const job = await deps.ledger.getJob(tenant, jobId);
  if (!(await deps.blobs.has(manifestKey(marker)))) {
    await endDeleted(deps, marker);
    return findings.found('marker_left');
  }
  if (outcome?.state === 'aborted') return withdraw(deps, findings, marker, Date.parse(outcome.at));
  // Without a job a request may be under way; with one that has ended, its last write may be.
  if (!job && !outcome && age < youngerThanMs) return;
  if (!job) return compareDocument(deps, findings, tenant, documentId, youngerThanMs);
  // The end of an earlier run says nothing about a retry.
  const isOfThisRun = outcome !== undefined && outcome.run >= job.run;
  if (isTerminal(job.state)) {
    if (deps.clock.now() - Date.parse(job.updatedAt) < requestMs) return;
    if (!isOfThisRun) return repairEnd(deps, findings, marker, job);
    await removePending(deps.blobs, jobId);
    return findings.found('marker_left');
  }
  if (isOfThisRun) return compareDocument(deps, findings, tenant, documentId);
  if (await endWithCancelled(deps, job)) return findings.found('end_unrecorded');
  const step = currentStep(job);
  if (deps.clock.now() - Date.parse(job.updatedAt) < patience(jobRegistry[step.name].tier)) return;
  // The queue ignores what it still has: only a job that fell out of it is handed out anew.
  await deps.queue.add([step]);
}

/**
 * Whoever cancelled a job may have died before the documents that it brought were cancelled. One that was retried since then
 * is wanted.
 */
async function endWithCancelled(deps: ReconcileDeps, job: JobRecord): Promise<boolean> {
  if (job.run > 0 || job.parentJobId === undefined) return false;
  const parent = await deps.ledger.getJob(job.tenant, job.parentJobId);
  if (parent?.state !== 'cancelled') return false;
  await endWithParent(deps, job, parent.id);
  return true;
}

/** Nobody was told that the version was accepted: the ledger does not say so either, however late it was written there. */
async function withdraw(deps: ReconcileDeps, findings: Findings, marker: Manifest, atMs: number): Promise<void> {
  const { documentId, version, jobId } = marker;
  if (await deps.ledger.withdrawVersion(marker, documentId, version, jobId)) findings.found('aborted_left');
  await removeClaim(deps, marker);
  if (deps.clock.now() - atMs > lateMs) await removePending(deps.blobs, jobId);
}

/** The ledger says that a version has ended and the blob store does not: it was begun anew, or the fact is made up for. */
async function repairEnd(deps: ReconcileDeps, findings: Findings, marker: Manifest, job: JobRecord): Promise<void> {
  const begun = await readRun(deps.blobs, marker);
  if (begun && begun.run > job.run) return compareDocument(deps, findings, marker.tenant, marker.documentId);
  const { error, warnings } = job;
  await endJob(deps, { ...marker, run: job.run }, job.state as FinalState, { error, warnings, job });
  findings.found('end_not_durable');
}

/** A job that the ledger holds for open without a marker: most likely it has ended and the ledger has lost that. */
async function repairUnmarked(
  deps: ReconcileDeps,
  findings: Findings,
  tenant: string,
  jobId: string,
  youngerThanMs: number,
): Promise<void> {
  const job = await deps.ledger.getJob(tenant, jobId);
  if (!job || isTerminal(job.state) || deps.clock.now() - Date.parse(job.createdAt) < youngerThanMs) return;
  // It may have been accepted, or retried, since the markers were read.
  if (await deps.blobs.has(pendingKey(jobId))) return;
  if (await deps.blobs.has(manifestKey(job))) {
    await compareDocument(deps, findings, tenant, job.documentId);
    const after = await deps.ledger.getJob(tenant, jobId);
    if (after && !isTerminal(after.state)) await deps.queue.add([currentStep(after)]);
    return;
  }
  await endDeleted(deps, { ...job, jobId });
  findings.found('job_without_document');
}
