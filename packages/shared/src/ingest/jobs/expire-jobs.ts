import { isTerminal } from '../../contracts/model/job.ts';
import { Manifest } from '../../contracts/model/manifest.ts';
import type { JobRecord, Retired } from '../../ports/ledger.ts';
import type { IngestDeps } from '../deps.ts';
import { isManyDocuments } from '../next-jobs.ts';
import { readJson } from '../stored/artifacts.ts';
import { batchKey, manifestKey } from '../stored/blob-keys.ts';
import { isDamage } from '../stored/damage.ts';
import { isDeleted } from '../stored/tombstone.ts';
import { removeVersionBlobs } from '../versions/expire.ts';
import { isDeadLetter } from './dead-letters.ts';
import { isOver } from './job-retention.ts';

type ExpireDeps = Pick<IngestDeps, 'blobs' | 'ledger' | 'clock' | 'logger' | 'jobRetentionMs'>;

const atOnce = 500;
/** What a run looks at; the next one goes on. */
const mostPerRun = 10_000;
/** When something that has to stay a while longer is looked at again. */
const lookAgainMs = 24 * 3_600_000;

/**
 * Forgets jobs whose version was deleted or expired, those that never had one or brought many documents, and batches, once
 * nobody need ask for them any more. What must stay is left: see `mustStay`. Safe at any time and from several processes.
 * @returns how many were forgotten
 */
export async function expireJobs(deps: ExpireDeps): Promise<number> {
  const { ledger } = deps;
  const untilMs = deps.clock.now() - deps.jobRetentionMs;
  let forgotten = 0;
  for (let seen = 0; seen < mostPerRun; seen += atOnce) {
    const due = await ledger.retired(untilMs, atOnce);
    for (const one of due) {
      const gone = await (one.kind === 'job' ? forgetJob(deps, one) : forgetBatch(deps, one));
      if (gone) forgotten += 1;
      else await ledger.retire(one.tenant, one.kind, [one.id], untilMs + lookAgainMs);
    }
    if (due.length < atOnce) break;
  }
  if (forgotten > 0)
    deps.logger.info('jobs and batches that nobody needs any more are forgotten', { count: forgotten });
  return forgotten;
}

async function forgetJob(deps: ExpireDeps, { tenant, id }: Retired): Promise<boolean> {
  const job = await deps.ledger.getJob(tenant, id);
  if (job) {
    const isKept = await hasVersion(deps, job);
    // What a job of many documents has for a version tells of nothing but the job.
    const isOnlyIts = isManyDocuments(job.sourceType);
    if ((isKept && !isOnlyIts) || (await mustStay(deps, job))) return false;
    // The durable record first, or a rebuild would bring the job back.
    if (isKept) await removeVersionBlobs(deps, job);
  }
  return deps.ledger.forgetJob(tenant, id, job);
}

/** Also where that cannot be told. */
async function hasVersion({ blobs, ledger, logger }: ExpireDeps, job: JobRecord): Promise<boolean> {
  const document = await ledger.getDocument(job.tenant, job.documentId);
  if (document?.versions.some(({ jobId }) => jobId === job.id)) return true;
  try {
    // The version's number may be another job's.
    return (await readJson(blobs, manifestKey(job), Manifest))?.jobId === job.id;
  } catch (error) {
    if (!isDamage(error)) throw error;
    logger.error('whether a job can be forgotten cannot be told', { jobId: job.id, error });
    return true;
  }
}

/**
 * Beside those whose version is there, a job stays while it is open or has just ended, and while the job that made it may
 * be tried again, which would make it anew. A dead letter stays until its document is deleted.
 */
async function mustStay(deps: ExpireDeps, job: JobRecord): Promise<boolean> {
  if (!isTerminal(job.state) || !isOver(deps, Date.parse(job.updatedAt))) return true;
  if (isDeadLetter(job) && !(await isDeleted(deps.blobs, job))) return true;
  const parent = job.parentJobId === undefined ? undefined : await deps.ledger.getJob(job.tenant, job.parentJobId);
  return parent !== undefined && parent.state !== 'succeeded';
}

/** Its jobs stay as long as their versions do. */
async function forgetBatch({ blobs, ledger }: ExpireDeps, { tenant, id }: Retired): Promise<boolean> {
  const jobs = await ledger.getJobs(tenant, (await ledger.getBatch(tenant, id)) ?? []);
  if (jobs.some((job) => !isTerminal(job.state))) return false;
  // The durable record first: what is left of it in the ledger is found again.
  await blobs.remove(batchKey(tenant, id));
  await ledger.forgetBatch(tenant, id);
  return true;
}
