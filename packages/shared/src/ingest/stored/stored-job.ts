import { z } from 'zod';
import { BatchId, DeliveryId, JobId, Priority, Tenant } from '../../contracts/model/ids.ts';
import { Job } from '../../contracts/model/job.ts';

export const StoredJob = Job.omit({ links: true })
  .extend({
    tenant: Tenant,
    run: z.int().min(0),
    priority: Priority,
    sourceType: z.string(),
    parentJobId: JobId.optional(),
    batchId: BatchId.optional(),
    deliveryId: DeliveryId.optional(),
  })
  .meta({ id: 'StoredJob', description: "A job's record as the blob store keeps it where no manifest does." });
