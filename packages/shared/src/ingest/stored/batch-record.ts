import { z } from 'zod';
import { BatchId, JobId, Tenant } from '../../contracts/model/ids.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import type { IngestDeps } from '../deps.ts';
import { batchTime } from '../new-id.ts';
import { encodeJson } from './artifacts.ts';
import { batchKey } from './blob-keys.ts';
import { StoredJob } from './stored-job.ts';

export const BatchRecord = z
  .object({
    schemaVersion: z.literal(1),
    tenant: Tenant,
    batchId: BatchId,
    jobIds: z.array(JobId),
    rejected: z.array(StoredJob).describe('Items that could not be accepted: their jobs have no manifest.'),
  })
  .describe('Which jobs a request for many documents became, durably.');
export type BatchRecord = z.infer<typeof BatchRecord>;

/** Records a batch once all its items have jobs, before anybody is told of it. @param jobs in the order of the items */
export async function recordBatch(
  deps: Pick<IngestDeps, 'blobs' | 'ledger'>,
  tenant: string,
  batchId: string,
  jobs: readonly JobRecord[],
): Promise<void> {
  const jobIds = jobs.map((job) => job.id);
  // What is rejected never had anything to store: its job has failed from the start.
  const rejected = jobs.filter((job) => job.state === 'failed');
  const record: BatchRecord = { schemaVersion: 1, tenant, batchId, jobIds, rejected: [...rejected] };
  await deps.blobs.put(batchKey(tenant, batchId), encodeJson(record));
  try {
    await deps.ledger.createBatch(tenant, batchId, jobIds, batchTime(batchId));
  } catch (error) {
    await deps.blobs.remove(batchKey(tenant, batchId));
    throw error;
  }
}
