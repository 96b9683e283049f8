import type { Ledger } from '@semantic-memory/shared/ports/ledger';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { createChangeSignals } from './change-signals.ts';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { readDocumentChanges } from './document-changes.ts';
import { createDocumentStore } from './document-store.ts';
import { watchJob } from './job-events.ts';
import { createJobStore } from './job-store.ts';
import { ledgerKeys } from './keys.ts';

export interface RedisLedgerOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Begins every key. */
  readonly prefix: string;
  readonly logger?: Logger | undefined;
}

/**
 * The ledger in Redis. Opens a connection at once, and a second one with the first watcher; calls made while Redis is
 * away throw `dependency_unavailable` within about a second, and work again within two of its return.
 */
export function createRedisLedger({ url, prefix, logger }: RedisLedgerOptions): Ledger {
  const redis = openRedis(url, { name: 'ledger', logger });
  const signals = createChangeSignals(() => openRedis(url, { name: 'ledger-watch', logger }));
  const deps = { redis, keys: ledgerKeys(prefix), signals };
  return {
    ...createJobStore(deps),
    ...createDocumentStore(deps),
    watchJob: (tenant, jobId, afterId, signal) => watchJob(deps, tenant, jobId, afterId, signal),
    documentChanges: (scope, cursor) => readDocumentChanges(deps, scope, cursor),
    async check() {
      await withRedis(redis, () => redis.ping());
    },
    async close() {
      await Promise.all([closeRedis(redis), signals.close()]);
    },
  };
}
