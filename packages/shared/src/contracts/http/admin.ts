import { z } from 'zod';
import { Tier } from '../jobs.ts';
import { defineEndpoint } from './endpoint.ts';

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
  responses: { 200: { description: 'The queues.', schema: Queues } },
  errors: [],
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
