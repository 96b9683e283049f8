import type { Ledger, LedgerRecovery } from '@semantic-memory/shared/ports/ledger';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import type { BreakerState } from '../breaker/breaker.ts';
import { type ChangeSignals, createChangeSignals } from './change-signals.ts';
import { askDirectly, closeRedis, openRedis } from './connection.ts';
import { readDocumentChanges } from './document-changes.ts';
import { createDocumentRepairs } from './document-repairs.ts';
import { createDocumentStore } from './document-store.ts';
import { assertWhole, type LedgerAccess } from './gate.ts';
import { watchJob } from './job-events.ts';
import { createJobStore } from './job-store.ts';
import { ledgerKeys } from './keys.ts';
import { createRecovery } from './recovery.ts';
import { createRetirement } from './retirement.ts';

export interface RedisLedgerOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Begins every key. */
  readonly prefix: string;
  readonly logger?: Logger | undefined;
  /** Told whenever the circuit breaker changes. */
  readonly onBreakerState?: ((state: BreakerState) => void) | undefined;
}

/** What a check writes is gone again by then. */
const checkKeptMs = 60_000;

/**
 * The ledger in Redis. Opens a connection at once, and a second one with the first watcher. Calls made while Redis is
 * away throw `dependency_unavailable` within two seconds, at once where it is known to be away, and work again within
 * three of its return. Where Redis has no ledger (a new one, or emptied) every call throws `rebuilding` until somebody
 * has run `rebuildOnce`.
 */
export function createRedisLedger({
  url,
  prefix,
  logger,
  onBreakerState,
}: RedisLedgerOptions): Ledger & LedgerRecovery {
  const redis = openRedis(url, { name: 'ledger', prefix, logger, onBreakerState });
  const signals = createChangeSignals(() => openRedis(url, { name: 'ledger-watch', prefix, logger }));
  const access: LedgerAccess = { redis, keys: ledgerKeys(prefix) };
  // A server that comes back may have lost its last writes, and count its generations once more: what was read over
  // another connection is read anew.
  let connections = 0;
  let serverStart: Promise<string> | undefined;
  redis.on('close', () => {
    connections += 1;
    serverStart = undefined;
  });
  const recovery = createRecovery(access, { open: (token) => open(token), logger });
  const connection: Connection = {
    number: () => String(connections),
    serverStart() {
      const asked = serverStart ?? recovery.serverStart();
      serverStart = asked;
      asked.catch(() => {
        if (serverStart === asked) serverStart = undefined;
      });
      return asked;
    },
  };
  const open = (rebuilderToken?: string): Ledger => ledgerOver({ ...access, rebuilderToken }, signals, connection);
  return {
    ...open(),
    ...recovery,
    async close() {
      await Promise.all([closeRedis(redis), signals.close()]);
    },
  };
}

/** The connection that is there now. */
interface Connection {
  /** Tells the connections apart over which a cursor was given out. */
  number(): string;
  /** The start of the server at its other end, asked for once a connection. */
  serverStart(): Promise<string>;
}

function ledgerOver(access: LedgerAccess, signals: ChangeSignals, connection: Connection): Ledger {
  const repairs = createDocumentRepairs(access);
  return {
    ...createJobStore(access),
    ...createRetirement(access),
    ...createDocumentStore(access),
    ...repairs,
    watchJob: (tenant, jobId, afterId, signal) => watchJob({ ...access, signals }, tenant, jobId, afterId, signal),
    async documentChanges(scope, cursor) {
      const [of, ...rest] = (cursor ?? '').split('/');
      const now = connection.number();
      const [changes, serverStart] = await Promise.all([
        readDocumentChanges(access, scope, of === now ? rest.join('/') : undefined),
        connection.serverStart(),
      ]);
      return {
        ...changes,
        cursor: changes.cursor === '' ? '' : `${now}/${changes.cursor}`,
        // A server that has lost its last writes counts the same generations once more.
        generation: `${serverStart}.${changes.generation}`,
      };
    },
    async switchModel(scope, model, ifGeneration) {
      if (ifGeneration === undefined) return repairs.switchModel(scope, model);
      const start = `${await connection.serverStart()}.`;
      // What was read of a server that has been started anew since says nothing about this one.
      return ifGeneration.startsWith(start) && repairs.switchModel(scope, model, ifGeneration.slice(start.length));
    },
    // Not PING: a Redis that cannot write to its disk refuses that too, and still reads.
    check: () => askDirectly(access.redis, () => assertWhole(access)),
    async checkWrites() {
      await askDirectly(access.redis, () => access.redis.set(access.keys.check, '', 'PX', checkKeptMs));
    },
    close: async () => {},
  };
}
