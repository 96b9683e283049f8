import { MemoryError } from '../contracts/errors.ts';
import type { JobRecord } from '../ports/ledger.ts';
import { readManifest } from './artifacts.ts';
import type { IngestDeps } from './deps.ts';
import { retryRecord } from './job-record.ts';
import { newDeliveryId } from './new-id.ts';
import { stepUp } from './next-jobs.ts';
import { removeOutcome } from './outcome.ts';
import { markPending } from './pending.ts';
import { oweCall, oweNothing, secureCall } from './webhook-outbox.ts';

const retryable: readonly string[] = ['failed', 'partial', 'cancelled'];

/**
 * Begins a job again from its last finished step.
 * @throws MemoryError `not_found` (no such job, or its document is gone), or `conflict` where it has not ended, or well
 */
export async function retryJob(deps: IngestDeps, tenant: string, jobId: string): Promise<JobRecord> {
  const job = await deps.ledger.getJob(tenant, jobId);
  if (!job) throw new MemoryError('not_found', `There is no job ${jobId}.`);
  if (!retryable.includes(job.state)) {
    throw new MemoryError(
      'conflict',
      `Job ${jobId} is ${job.state}; only failed, partial and cancelled jobs are retried.`,
    );
  }
  const { callbackUrl } = await readManifest(deps.blobs, job);
  // What the end before owes is told with its own state, and this run's end gets a call of its own.
  await secureCall(deps, job);
  const call = callbackUrl === undefined ? undefined : { deliveryId: newDeliveryId(), callbackUrl };
  if (call) await oweCall(deps, { ...job, jobId }, call);
  const at = new Date(deps.clock.now()).toISOString();
  await markPending(deps.blobs, { ...job, jobId });
  await removeOutcome(deps.blobs, job);
  let begun = false;
  const again = await deps.ledger.updateJob(tenant, jobId, (current) => {
    begun = retryable.includes(current.state);
    return begun ? retryRecord(current, at, call?.deliveryId) : undefined;
  });
  if (!again) throw new MemoryError('not_found', `There is no job ${jobId}.`);
  if (call && !begun) await oweNothing(deps.blobs, call.deliveryId);
  // Where this process was held up in between, it may have been taken for the end before.
  if (call && begun) await oweCall(deps, { ...job, jobId }, call);
  if (begun) await deps.queue.add([stepUp(again)]);
  return again;
}
