import { reconcile } from '@semantic-memory/shared/ingest/reconcile';
import type { ApiDeps } from '../api-deps.ts';
import { type Handlers, ok } from '../endpoint-handler.ts';

export function adminHandlers(deps: ApiDeps): Pick<Handlers, 'adminQueues' | 'adminReconcile'> {
  return {
    adminQueues: async () => ok({ queues: await deps.queue.counts() }),
    adminReconcile: async ({ tenant }) => ok(await reconcile(deps, { tenant })),
  };
}
