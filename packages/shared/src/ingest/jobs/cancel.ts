import { MemoryError } from '../../contracts/errors.ts';
import { isTerminal } from '../../contracts/model/job.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import type { IngestDeps } from '../deps.ts';
import { endJob } from '../finish.ts';
import { originalKey } from '../stored/blob-keys.ts';

/**
 * Ends a job that has not ended. A step that runs stops at the latest when it next reports progress; the document's
 * active version stays as it was.
 * @throws MemoryError `not_found`, or `conflict` where the job has ended
 */
export async function cancelJob(deps: IngestDeps, tenant: string, jobId: string): Promise<JobRecord> {
  const job = await deps.ledger.getJob(tenant, jobId);
  if (!job) throw new MemoryError('not_found', `There is no job ${jobId}.`);
  if (isTerminal(job.state)) throw hasEnded(job);
  const ended = await endJob(deps, { ...job, jobId }, 'cancelled', {
    error: { code: 'cancelled', message: 'The job was cancelled.' },
    job,
  });
  if (!ended) throw new MemoryError('not_found', `There is no job ${jobId}.`);
  // The commit was faster: what it wrote stands.
  if (ended.state !== 'cancelled') throw hasEnded(ended);
  if (ended.sourceType === 'import') await deps.blobs.remove(originalKey(ended));
  // A repository's job ends with the documents that it brought.
  for (const child of await deps.ledger.getJobs(tenant, await deps.ledger.children(tenant, jobId))) {
    await endWithParent(deps, child, jobId);
  }
  return ended;
}

/** Ends the job of a document whose repository or archive was cancelled. */
export async function endWithParent(deps: IngestDeps, child: JobRecord, parentJobId: string): Promise<void> {
  if (isTerminal(child.state)) return;
  await endJob(deps, { ...child, jobId: child.id }, 'cancelled', {
    error: { code: 'cancelled', message: `The job ${parentJobId} that brought it was cancelled.` },
    job: child,
  });
}

function hasEnded(job: JobRecord): MemoryError {
  if (!isTerminal(job.state)) {
    return new MemoryError('conflict', `Job ${job.id} is being committed and ends well in a moment.`);
  }
  return new MemoryError('conflict', `Job ${job.id} has ended as ${job.state}.`);
}
