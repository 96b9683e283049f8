import { jobRegistry, type Tier, tiers } from '../../contracts/jobs.ts';
import type { JobState } from '../../contracts/model/job.ts';
import type { QueueCounts } from '../../ports/job-queue.ts';
import type { JobRecord, Ledger } from '../../ports/ledger.ts';
import { currentStep } from '../next-jobs.ts';
import { isDeadLetter } from './dead-letters.ts';
import { stageOf } from './job-record.ts';

const pageSize = 500;
const openStates: readonly JobState[] = ['queued', 'running', 'waiting'];

type Counted = { -readonly [Name in keyof QueueCounts]: QueueCounts[Name] };

/**
 * What a tenant has in each tier, from the ledger: the queues themselves hold everyone's jobs. `delayed` are the jobs
 * that wait for a dependency, `failed` the dead letters.
 * @param now milliseconds since 1970
 */
export async function tenantQueues(ledger: Ledger, tenant: string, now: number): Promise<QueueCounts[]> {
  const counts = new Map<Tier, Counted>(
    tiers.map((tier) => [tier, { tier, waiting: 0, active: 0, delayed: 0, failed: 0, oldestWaitSeconds: 0 }]),
  );
  for (const state of openStates) {
    for await (const job of allJobs(ledger, tenant, { state })) countOpen(counts.get(tierOf(job))!, job, now);
  }
  for await (const job of allJobs(ledger, tenant, { state: 'failed', matches: isDeadLetter })) {
    counts.get(tierOf(job))!.failed += 1;
  }
  return [...counts.values()];
}

const tierOf = (job: JobRecord): Tier => jobRegistry[currentStep(job).name].tier;

function countOpen(count: Counted, job: JobRecord, now: number): void {
  const { state } = stageOf(job, job.stage);
  if (state === 'running') count.active += 1;
  else if (state === 'waiting') count.delayed += 1;
  else {
    count.waiting += 1;
    count.oldestWaitSeconds = Math.max(count.oldestWaitSeconds, (now - Date.parse(job.updatedAt)) / 1000);
  }
}

async function* allJobs(
  ledger: Ledger,
  tenant: string,
  query: Pick<Parameters<Ledger['listJobs']>[1], 'state' | 'matches'>,
): AsyncGenerator<JobRecord> {
  let cursor: string | undefined;
  do {
    const page = await ledger.listJobs(tenant, { ...query, limit: pageSize, cursor });
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
