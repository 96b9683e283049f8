import { MemoryError } from '../contracts/errors.ts';
import { jobRegistry, type Tier } from '../contracts/jobs.ts';
import { isTerminal } from '../contracts/model/job.ts';
import type { Manifest } from '../contracts/model/manifest.ts';
import type { JobRecord } from '../ports/ledger.ts';
import { documentFacts, versionRecord } from './accept.ts';
import { manifestKey, pendingPrefix } from './blob-keys.ts';
import type { IngestDeps } from './deps.ts';
import { followOutcome } from './finish.ts';
import { newJob } from './job-record.ts';
import { isManyDocuments, stepUp } from './next-jobs.ts';
import { readOutcome } from './outcome.ts';
import { readPending, removePending } from './pending.ts';
import { redeliverWebhooks } from './webhook-outbox.ts';

/** A job that has not moved for this long may have fallen out of a queue that is empty. */
const quietMs = 60_000;
/** The same where the queue is busy: most likely the job only waits its turn. */
const quietInBusyQueueMs = 10 * 60_000;

export interface ReconcileReport {
  readonly checked: number;
  /** What was found wrong, by kind. */
  readonly drift: Record<string, number>;
  readonly repaired: number;
}

/**
 * Compares what was accepted with what the ledger knows, and repairs: every version that has not ended has a marker in
 * the blob store, so nothing else need be walked. Safe at any time and from several processes.
 */
export async function reconcile(deps: IngestDeps, scope: { readonly tenant?: string } = {}): Promise<ReconcileReport> {
  const drift: Record<string, number> = {};
  let checked = 0;
  let repaired = 0;
  const busyTiers = new Set(
    (await deps.queue.counts())
      .filter(({ waiting, active, delayed }) => waiting + active + delayed > 0)
      .map(({ tier }) => tier),
  );
  for await (const key of deps.blobs.list(pendingPrefix)) {
    const marker = await readPending(deps.blobs, key);
    if (!marker || (scope.tenant !== undefined && marker.tenant !== scope.tenant)) continue;
    checked += 1;
    const kind = await repair(deps, marker, busyTiers);
    if (!kind) continue;
    drift[kind] = (drift[kind] ?? 0) + 1;
    repaired += 1;
  }
  const unannounced = await redeliverWebhooks(deps, scope);
  if (unannounced > 0) drift.webhook_unannounced = unannounced;
  repaired += unannounced;
  for (const [kind, count] of Object.entries(drift)) deps.metrics.indexDrift(kind, count);
  if (repaired > 0) deps.logger.info('reconciled', { checked, drift });
  return { checked, drift, repaired };
}

/** Puts one version right and says what was wrong, or undefined where nothing was. */
async function repair(deps: IngestDeps, marker: Manifest, busyTiers: ReadonlySet<Tier>): Promise<string | undefined> {
  const outcome = await readOutcome(deps.blobs, marker);
  // An aborted request was never accepted, and a version without its manifest was deleted.
  if (outcome?.state === 'aborted' || !(await deps.blobs.has(manifestKey(marker)))) {
    await removePending(deps.blobs, marker.jobId);
    return 'marker_left';
  }
  let job = await deps.ledger.getJob(marker.tenant, marker.jobId);
  let kind: string | undefined;
  if (!job) {
    if (deps.clock.now() - Date.parse(marker.createdAt) < quietMs) return undefined;
    job = await restoreJob(deps, marker);
    kind = 'job_missing';
  }
  // The end of an earlier run says nothing about a retry.
  if ((outcome?.state === 'failed' || outcome?.state === 'cancelled') && outcome.run >= job.run) {
    await followOutcome(deps, marker, outcome);
    return kind ?? 'end_unrecorded';
  }
  if (isTerminal(job.state)) {
    await removePending(deps.blobs, marker.jobId);
    return kind ?? 'marker_left';
  }
  const step = stepUp(job);
  const patienceMs = busyTiers.has(jobRegistry[step.name].tier) ? quietInBusyQueueMs : quietMs;
  if (!kind && deps.clock.now() - Date.parse(job.updatedAt) < patienceMs) return undefined;
  // The queue ignores what it still has: only a job that fell out of it is handed out anew.
  await deps.queue.add([step]);
  return kind;
}

/** The ledger has lost a job: it begins from its first step again, and finds what is done in the blob store. */
export async function restoreJob(deps: IngestDeps, manifest: Manifest): Promise<JobRecord> {
  const { tenant, namespace, documentId, version } = manifest;
  await deps.ledger.reserveVersion({ tenant, namespace }, documentId, manifest.embeddingModel, version);
  const job = newJob(manifest);
  if (isManyDocuments(manifest.source.type)) await deps.ledger.createParentJob(job);
  else await deps.ledger.createJob(job, versionRecord(manifest), documentFacts(manifest));
  const restored = await deps.ledger.getJob(tenant, job.id);
  if (!restored) throw new MemoryError('internal', `Job ${job.id} could not be restored.`);
  return restored;
}
