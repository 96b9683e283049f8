import { documentFaultCodes, type ErrorCode, MemoryError, requestFaultCodes } from '../../contracts/errors.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import type { IngestDeps } from '../deps.ts';
import { retryJob } from './retry.ts';

/** The fault of the document or of the request that brought it, or somebody's wish. */
const notOurs: readonly ErrorCode[] = [...requestFaultCodes, ...documentFaultCodes, 'cancelled'];

/** Whether a job has failed by a fault of ours: its document may be as good as any. */
export const isDeadLetter = (job: JobRecord): boolean =>
  job.state === 'failed' && job.error !== undefined && !notOurs.includes(job.error.code);

/**
 * Begins a dead letter again from its last finished step.
 * @throws MemoryError `not_found`, or `conflict` where the job is none, and what `retryJob` throws
 */
export async function retryDeadLetter(deps: IngestDeps, tenant: string, jobId: string): Promise<JobRecord> {
  const job = await deps.ledger.getJob(tenant, jobId);
  if (!job) throw new MemoryError('not_found', `There is no job ${jobId}.`);
  if (!isDeadLetter(job)) {
    const why = job.state === 'failed' ? `failed as ${job.error?.code}` : `is ${job.state}`;
    throw new MemoryError('conflict', `Job ${jobId} is no dead letter: it ${why}.`, {
      hint: 'Any failed, partial or cancelled job can be retried at /jobs/{jobId}/retry.',
    });
  }
  return retryJob(deps, tenant, jobId);
}
