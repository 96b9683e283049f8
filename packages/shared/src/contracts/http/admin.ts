import { z } from 'zod';
import { Tier } from '../jobs.ts';
import { Job } from '../model/job.ts';
import { defineEndpoint } from './endpoint.ts';
import { JobList } from './jobs.ts';
import { listQuery } from './paging.ts';

export const Queues = z
  .object({
    queues: z.array(
      z.object({
        tier: Tier,
        waiting: z.int(),
        active: z.int(),
        delayed: z.int(),
        failed: z.int(),
        oldestWaitSeconds: z.number(),
      }),
    ),
  })
  .meta({ id: 'Queues' });

export const ReconcileReport = z
  .object({ checked: z.int(), drift: z.record(z.string(), z.int()), repaired: z.int() })
  .meta({ id: 'ReconcileReport' });

export const adminQueues = defineEndpoint({
  id: 'adminQueues',
  method: 'get',
  path: '/admin/queues',
  scopes: ['memory:admin'],
  tag: 'admin',
  summary: 'What waits in each tier',
  description:
    'Of the own tenant. `delayed` are the jobs that wait for a dependency, `failed` the dead letters. A step is counted ' +
    'as active once it has run for about a second.',
  responses: { 200: { description: 'The queues.', schema: Queues } },
  errors: [],
});

export const adminDeadLetters = defineEndpoint({
  id: 'adminDeadLetters',
  method: 'get',
  path: '/admin/dead-letters',
  scopes: ['memory:admin'],
  tag: 'admin',
  summary: 'Jobs that failed by a fault of ours, newest first',
  description: 'They used up their attempts, and not because of the document. Each says in `error` why.',
  query: z.strictObject(listQuery),
  responses: { 200: { description: 'A page of jobs.', schema: JobList } },
  errors: [],
});

export const adminRetryDeadLetter = defineEndpoint({
  id: 'adminRetryDeadLetter',
  method: 'post',
  path: '/admin/dead-letters/{jobId}/retry',
  scopes: ['memory:admin'],
  tag: 'admin',
  summary: 'Run a dead letter again',
  description: 'Goes on from the last finished step.',
  params: z.strictObject({ jobId: z.string().max(200) }),
  responses: { 200: { description: 'The job.', schema: Job } },
  errors: ['not_found', 'conflict'],
});

export const adminReconcile = defineEndpoint({
  id: 'adminReconcile',
  method: 'post',
  path: '/admin/reconcile',
  scopes: ['memory:admin'],
  tag: 'admin',
  summary: 'Compare the stores and repair',
  responses: { 200: { description: 'What was found.', schema: ReconcileReport } },
  errors: [],
});
