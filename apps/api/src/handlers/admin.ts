import { isDeadLetter, retryDeadLetter } from '@semantic-memory/shared/ingest/jobs/dead-letters';
import { jobPath, jobView } from '@semantic-memory/shared/ingest/jobs/job-view';
import { tenantQueues } from '@semantic-memory/shared/ingest/jobs/tenant-queues';
import { reconcile } from '@semantic-memory/shared/ingest/recovery/reconcile';
import { acceptReindex } from '@semantic-memory/shared/ingest/reindex/accept-reindex';
import type { ApiDeps } from '../api-deps.ts';
import { type Handlers, ok } from '../endpoint-handler.ts';

import { knownJob } from './jobs.ts';

type AdminHandlers = Pick<
  Handlers,
  'adminQueues' | 'adminDeadLetters' | 'adminRetryDeadLetter' | 'adminReconcile' | 'adminReindex'
>;

export function adminHandlers(deps: ApiDeps): AdminHandlers {
  return {
    adminQueues: async ({ tenant }) => ok({ queues: await tenantQueues(deps.ledger, tenant, deps.clock.now()) }),
    async adminDeadLetters({ tenant }, { query }) {
      const page = await deps.ledger.listJobs(tenant, { ...query, state: 'failed', matches: isDeadLetter });
      const { items, nextCursor } = page;
      return ok({ items: items.map(jobView), ...(nextCursor === undefined ? {} : { nextCursor }) });
    },
    async adminRetryDeadLetter({ tenant }, { params }) {
      const { id } = await knownJob(deps, tenant, params.jobId);
      return ok(jobView(await retryDeadLetter(deps, tenant, id)));
    },
    async adminReindex({ tenant }, { body: { namespace, ...request } }) {
      const job = await acceptReindex(deps, { tenant, namespace }, request);
      return { status: 202, body: jobView(job), headers: { location: jobPath(job.id) } };
    },
    adminReconcile: async ({ tenant }) => ok(await reconcile(deps, { tenant, documents: 'all', index: 'exact' })),
  };
}
