import { z } from 'zod';
import { DeliveryId, DocumentId, JobId, Tenant, Timestamp, Version } from '../../contracts/model/ids.ts';
import { isTerminal } from '../../contracts/model/job.ts';
import { Manifest } from '../../contracts/model/manifest.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { QueuedJob } from '../../ports/job-queue.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import type { IngestDeps } from '../deps.ts';
import { finishJob, newJob } from '../jobs/job-record.ts';
import { jobView } from '../jobs/job-view.ts';
import { encodeJson, readJson } from '../stored/artifacts.ts';
import { dueCallKey, dueCallsPrefix, manifestKey, owedCallKey, owedCallsPrefix } from '../stored/blob-keys.ts';
import { isDamage } from '../stored/damage.ts';
import { readOutcome } from '../stored/outcome.ts';

/*
 * The outbox of webhooks lies in the blob store, so that neither a killed process nor an empty Redis loses a call:
 *   owed  written before a job is accepted (or begins again): whoever finds it and a job that has ended owes the call
 *   due   written at the end, with the body that every attempt sends; removed once the call was made or given up
 * The queue only says when to try. Each write repeats to the same effect; what is done twice is one call made twice,
 * with one delivery id.
 */

/** A call that will be due when its job ends. */
const OwedCall = z.object({
  schemaVersion: z.literal(1),
  deliveryId: DeliveryId,
  tenant: Tenant,
  documentId: DocumentId,
  version: Version,
  jobId: JobId,
  callbackUrl: z.string(),
  at: Timestamp,
});
type OwedCall = z.infer<typeof OwedCall>;

/** A call to be made. */
const DueCall = z.object({
  schemaVersion: z.literal(1),
  deliveryId: DeliveryId,
  jobId: JobId,
  callbackUrl: z.string(),
  /** The Job in its terminal state, as JSON. */
  body: z.string(),
  /** When the call became due, for how long to go on trying. */
  at: Timestamp,
});
export type DueCall = z.infer<typeof DueCall>;

/** A job may be between its retry's two writes, or its end between ledger and outbox: left alone for so long. */
const settleMs = 30_000;
/** A ledger that has lost a job gets it back within this time, from its manifest. */
const lostMs = 10 * 60_000;
const queuedAtOnce = 500;

/** Promises a call when a job ends. Repeating it changes nothing. */
export async function oweCall(
  deps: Pick<IngestDeps, 'blobs' | 'clock'>,
  job: Pick<JobRecord, 'tenant' | 'documentId' | 'version'> & { readonly jobId: string },
  call: { readonly deliveryId: string; readonly callbackUrl: string },
): Promise<void> {
  const { tenant, documentId, version, jobId } = job;
  const at = new Date(deps.clock.now()).toISOString();
  const owed: OwedCall = { schemaVersion: 1, ...call, tenant, documentId, version, jobId, at };
  await deps.blobs.putIfAbsent(owedCallKey(call.deliveryId), encodeJson(owed));
}

/** Takes the promise back: the job was not accepted, or did not begin again. */
export const oweNothing = (blobs: BlobStore, deliveryId: string) => blobs.remove(owedCallKey(deliveryId));

/**
 * Makes the call due that a job owes, now that it has ended. Never fails: what cannot be written now, `redeliverWebhooks`
 * finds.
 */
export async function announceEnd(deps: IngestDeps, job: JobRecord): Promise<void> {
  if (job.deliveryId === undefined) return;
  try {
    const owed = await readJson(deps.blobs, owedCallKey(job.deliveryId), OwedCall);
    if (!owed) return;
    await makeDue(deps, owed, job);
    await deps.queue.add([notifyJob(owed.deliveryId)]);
  } catch (error) {
    deps.logger.warn('the webhook of a job is called later', { jobId: job.id, deliveryId: job.deliveryId, error });
  }
}

/** As `announceEnd`, where nothing may go on before the call is safe. @throws what the blob store throws */
export async function secureCall(deps: IngestDeps, job: JobRecord): Promise<void> {
  if (job.deliveryId === undefined) return;
  const owed = await readJson(deps.blobs, owedCallKey(job.deliveryId), OwedCall);
  if (owed) await makeDue(deps, owed, job);
}

async function makeDue(deps: IngestDeps, { deliveryId, callbackUrl }: OwedCall, job: JobRecord): Promise<void> {
  const body = JSON.stringify(jobView(job));
  const at = new Date(deps.clock.now()).toISOString();
  const due: DueCall = { schemaVersion: 1, deliveryId, jobId: job.id, callbackUrl, body, at };
  await deps.blobs.putIfAbsent(dueCallKey(deliveryId), encodeJson(due));
  await deps.blobs.remove(owedCallKey(deliveryId));
}

export const readDueCall = (blobs: BlobStore, deliveryId: string) => readJson(blobs, dueCallKey(deliveryId), DueCall);

/** The call was made, or will never be. */
export const removeDueCall = (blobs: BlobStore, deliveryId: string) => blobs.remove(dueCallKey(deliveryId));

/**
 * Finds calls that were left behind by a killed process or an emptied Redis, and hands them out again. The queue ignores
 * those that it still has. Safe at any time and from several processes.
 * @returns how many ends had not been announced
 */
export async function redeliverWebhooks(
  deps: IngestDeps,
  scope: { readonly tenant?: string | undefined; readonly settleMs?: number } = {},
): Promise<number> {
  let announced = 0;
  for await (const key of deps.blobs.list(owedCallsPrefix)) {
    try {
      if (await announceOwed(deps, key, scope)) announced += 1;
    } catch (error) {
      if (!isDamage(error)) throw error;
      deps.logger.error('an owed webhook cannot be announced', { key, error });
    }
  }
  let jobs: QueuedJob[] = [];
  const handOut = async () => {
    if (jobs.length > 0) await deps.queue.add(jobs);
    jobs = [];
  };
  for await (const key of deps.blobs.list(dueCallsPrefix)) {
    jobs.push(notifyJob(key.slice(dueCallsPrefix.length, -'.json'.length)));
    if (jobs.length === queuedAtOnce) await handOut();
  }
  await handOut();
  return announced;
}

/** Makes a call due whose job has ended. @returns whether it had not been announced */
async function announceOwed(
  deps: IngestDeps,
  key: string,
  scope: NonNullable<Parameters<typeof redeliverWebhooks>[1]>,
): Promise<boolean> {
  const owed = await readJson(deps.blobs, key, OwedCall);
  if (!owed || (scope.tenant !== undefined && scope.tenant !== owed.tenant)) return false;
  const ageMs = deps.clock.now() - Date.parse(owed.at);
  if (ageMs < (scope.settleMs ?? settleMs)) return false;
  const end = await endOf(deps, owed, ageMs);
  if (end === 'open') return false;
  if (end === 'never accepted') {
    await deps.blobs.remove(key);
    return false;
  }
  await makeDue(deps, owed, end);
  return true;
}

/** How the job of an owed call stands: by the ledger, and where that has lost it, by the blob store. */
async function endOf(deps: IngestDeps, owed: OwedCall, ageMs: number): Promise<JobRecord | 'open' | 'never accepted'> {
  const job = await deps.ledger.getJob(owed.tenant, owed.jobId);
  if (job) return isTerminal(job.state) ? job : 'open';
  const outcome = await readOutcome(deps.blobs, owed);
  if (outcome?.state === 'aborted') return 'never accepted';
  if (ageMs < lostMs) return 'open';
  const manifest = await readJson(deps.blobs, manifestKey(owed), Manifest);
  if (!manifest) {
    // Deleted, with its job unknown to a ledger that was emptied since: there is nothing left to tell of.
    deps.logger.warn('the webhook of a job that nobody knows any more is not called', { jobId: owed.jobId });
    return 'never accepted';
  }
  if (!outcome) return 'open';
  return finishJob(newJob(manifest), outcome.state, outcome.at, outcome);
}

/** After everything else of its tier: a receiver that is slow must not hold up what is to be fetched. */
const notifyJob = (deliveryId: string): QueuedJob => ({
  name: 'notify',
  payload: { schemaVersion: 1, deliveryId },
  priority: 'low',
});
