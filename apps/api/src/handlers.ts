import type { ApiDeps } from './api-deps.ts';
import type { Handlers } from './endpoint-handler.ts';
import { adminHandlers } from './handlers/admin.ts';
import { batchHandlers } from './handlers/batch.ts';
import { documentHandlers } from './handlers/documents.ts';
import { ingestHandlers } from './handlers/ingest.ts';
import { jobHandlers } from './handlers/jobs.ts';
import { ragHandlers } from './handlers/rag.ts';
import { searchHandlers } from './handlers/search.ts';
import { transferHandlers } from './handlers/transfer.ts';
import { createTenantTurns } from './tenant-turns.ts';

/** What answers each endpoint. */
export function createHandlers(deps: ApiDeps): Handlers {
  const inTurn = createTenantTurns();
  return {
    ...ingestHandlers(deps, inTurn),
    ...batchHandlers(deps, inTurn),
    ...jobHandlers(deps),
    ...documentHandlers(deps),
    ...searchHandlers(deps),
    ...ragHandlers(deps),
    ...adminHandlers(deps),
    ...transferHandlers(deps),
  };
}
