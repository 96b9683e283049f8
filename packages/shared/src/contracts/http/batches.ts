import { z } from 'zod';
import { BatchId } from '../model/ids.ts';
import { Job, JobState } from '../model/job.ts';
import { defineEndpoint } from './endpoint.ts';

export const Batch = z
  .object({ batchId: BatchId, counts: z.record(JobState, z.int()), jobs: z.array(Job) })
  .meta({ id: 'Batch' });
export type Batch = z.infer<typeof Batch>;

export const getBatch = defineEndpoint({
  id: 'getBatch',
  method: 'get',
  path: '/ingest/batches/{batchId}',
  scopes: ['memory:read'],
  tag: 'ingest',
  summary: 'How a batch goes',
  params: z.strictObject({ batchId: z.string().max(200) }),
  responses: { 200: { description: 'The batch.', schema: Batch } },
  errors: ['not_found'],
});
