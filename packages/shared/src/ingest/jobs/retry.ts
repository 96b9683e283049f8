import { MemoryError } from '../../contracts/errors.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import type { IngestDeps } from '../deps.ts';
import { newDeliveryId } from '../new-id.ts';
import { currentStep, hasNoDocument } from '../next-jobs.ts';
import { readManifest } from '../stored/artifacts.ts';
import { keepCommitment, readOutcome, removeOutcome } from '../stored/outcome.ts';
import { markPending } from '../stored/pending.ts';
import { writeRun } from '../stored/run-record.ts';
import { oweCall, oweNothing, secureCall } from '../webhooks/webhook-outbox.ts';
import { retryRecord } from './job-record.ts';

const retryable: readonly string[] = ['failed', 'partial', 'cancelled'];

/**
 * Begins a job again from its last finished step, as another run. Of several retries at the same time one begins it.
 * @throws MemoryError `not_found` (no such job, or its document is gone), or `conflict` where it has not ended, or well,
 * or was never accepted, or a newer version of the document is active
 */
export async function retryJob(deps: IngestDeps, tenant: string, jobId: string): Promise<JobRecord> {
  const job = await deps.ledger.getJob(tenant, jobId);
  if (!job) throw new MemoryError('not_found', `There is no job ${jobId}.`);
  if (!retryable.includes(job.state)) throw notRetryable(job);
  const { callbackUrl, jobId: ownerId } = await readManifest(deps.blobs, job);
  if (ownerId !== jobId) throw wasRejected(job);
  if (!hasNoDocument(job.sourceType)) await assertNotSuperseded(deps, job);
  // What the end before owes is told with its own state, and this run's end gets a call of its own.
  await secureCall(deps, job);
  const call = callbackUrl === undefined ? undefined : { deliveryId: newDeliveryId(), callbackUrl };
  if (call) await oweCall(deps, { ...job, jobId }, call);
  const at = new Date(deps.clock.now()).toISOString();
  // First, so that the reconciler finds the run should this process die before it has handed it out.
  await markPending(deps.blobs, { ...job, jobId });
  const outcome = await readOutcome(deps.blobs, job);
  if (outcome?.state === 'partial') await keepCommitment(deps.blobs, job, outcome);
  await writeRun(deps.blobs, job, { run: job.run + 1, ...(call ? { deliveryId: call.deliveryId } : {}) });
  let begun = false;
  const again = await deps.ledger.updateJob(tenant, jobId, (current) => {
    begun = current.run === job.run && retryable.includes(current.state);
    return begun ? retryRecord(current, at, call?.deliveryId) : undefined;
  });
  if (!again) throw new MemoryError('not_found', `There is no job ${jobId}.`);
  if (call && !begun) await oweNothing(deps.blobs, call.deliveryId);
  if (!begun) throw notRetryable(again);
  // Where this process was held up in between, it may have been taken for the end before.
  if (call) await oweCall(deps, { ...job, jobId }, call);
  // Only who began the run may forget how the one before ended: another's end may stand there a moment later.
  await removeOutcome(deps.blobs, job);
  try {
    await deps.queue.add([currentStep(again)]);
  } catch (error) {
    deps.logger.warn('queue away after a retry; the reconciler will hand the job out', { jobId, error });
  }
  return again;
}

function notRetryable(job: JobRecord): MemoryError {
  return new MemoryError(
    'conflict',
    `Job ${job.id} is ${job.state}; only failed, partial and cancelled jobs are retried.`,
  );
}

/** An item of a batch that was not accepted has no version: the one that it would have is another job's. */
function wasRejected({ id }: JobRecord): MemoryError {
  return new MemoryError('conflict', `Job ${id} was not accepted, so that there is nothing to go on with.`, {
    hint: 'Send the content again.',
  });
}

/** An older version can never become the active one again, so that nothing would come of the work. */
async function assertNotSuperseded(deps: IngestDeps, job: JobRecord): Promise<void> {
  const document = await deps.ledger.getDocument(job.tenant, job.documentId);
  if (!document || document.activeVersion <= job.version) return;
  throw new MemoryError(
    'conflict',
    `Version ${document.activeVersion} of ${job.documentId} is active; version ${job.version} is not ingested again.`,
    { hint: 'Send the content again to make it the newest version.' },
  );
}
