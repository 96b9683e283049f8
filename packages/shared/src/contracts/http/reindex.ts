import { z } from 'zod';
import { JudgedQuery } from '../model/comparison.ts';
import { Namespace } from '../model/ids.ts';
import { Job } from '../model/job.ts';
import { defineEndpoint } from './endpoint.ts';

export const ReindexRequest = z
  .strictObject({
    namespace: Namespace.default('default'),
    model: z.string().trim().min(1, 'is empty').max(200),
    force: z
      .boolean()
      .default(false)
      .describe('Switches whatever the comparison says: also the way back to the model before.'),
    judged: z
      .array(JudgedQuery)
      .max(500, 'has more than 500')
      .default([])
      .describe('Queries with the documents that answer them, to compare the models by.'),
  })
  .meta({ id: 'ReindexRequest' });
export type ReindexRequest = z.input<typeof ReindexRequest>;

export const adminReindex = defineEndpoint({
  id: 'adminReindex',
  method: 'post',
  path: '/admin/reindex',
  scopes: ['memory:admin'],
  uses: ['tokens'],
  tag: 'admin',
  summary: 'Give a namespace another embedding model',
  description:
    'Embeds what the namespace holds by the other model beside what is searched, compares both by queries, and switches ' +
    'in one moment; a worse model is refused and the job ends as failed with `worse_model`. Searches go on meanwhile. The ' +
    'job tells the comparison. Asked again for the same while it runs it is the same job. With `force` it switches ' +
    "whatever the comparison says, which is the way back to the model before. The job's `documentId` is `namespace:` and the name.",
  body: ReindexRequest,
  responses: { 202: { description: 'Accepted.', schema: Job, headers: { Location: 'Where the job is.' } } },
  errors: ['not_found', 'conflict', 'request_too_large', 'unsupported_media_type', 'unprocessable'],
  examples: [{ summary: 'Another model', request: { namespace: 'manuals', model: 'text-embedding-3-small' } }],
});
