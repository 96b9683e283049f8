import type { IngestDeps } from '@semantic-memory/shared/ingest/deps';
import { askReconcile } from '@semantic-memory/shared/ingest/recovery/ask-reconcile';
import type { ReconcileDeps } from '@semantic-memory/shared/ingest/recovery/compare-document';
import { keepLedgerWhole } from '@semantic-memory/shared/ingest/recovery/keep-whole';
import { reconcile, reconcileIndex } from '@semantic-memory/shared/ingest/recovery/reconcile';
import type { LedgerRecovery } from '@semantic-memory/shared/ports/ledger';

/** Begins the reason of a reconcile after a start of the server behind the ledger; that start follows. */
const restartReason = 'restart-';
/** A part of the documents each time, all of them in four hours at a minute each. */
const parts = 256;
const partMs = 60_000;

/**
 * What a reconcile looks at, by what it is asked for. Bringing chunks back into an index that was lost takes long: that is
 * a reconcile of its own, of which the queue keeps one at a time, whoever finds that something is missing.
 */
export async function reconcileFor(deps: ReconcileDeps & { recovery: LedgerRecovery }, reason: string): Promise<void> {
  if (reason === 'index') return void (await reconcileIndex(deps, 'counted'));
  if (reason === 'index-exact') return void (await reconcileIndex(deps, 'exact'));
  if (reason.startsWith(restartReason)) {
    // What was written last may be lost, in the ledger and in the queues.
    await reconcile(deps, { documents: 'all', tailLost: true });
    askReconcile(deps.queue, deps.logger, 'index-exact');
    return deps.recovery.markCompared(reason.slice(restartReason.length));
  }
  await reconcile(deps, { documents: { part: Math.floor(deps.clock.now() / partMs) % parts } });
  // After a rebuild the ledger is what the blob store tells, and whatever else the index holds is nobody's.
  askReconcile(deps.queue, deps.logger, reason === 'rebuilt' ? 'index-exact' : 'index');
}

/** How often a reconcile is asked for in any case. */
const everyMs = 60_000;
/** How often the server behind the ledger is asked whether it is still the same. */
const lookEveryMs = 2000;

/**
 * Keeps the ledger whole, and asks for a reconcile and to forget what has expired now, every minute, and as soon as the
 * server behind the ledger was started anew, which may have lost its last writes.
 * @returns stops all of it
 */
export function startReconciling(deps: IngestDeps & { recovery: LedgerRecovery }): () => void {
  const { queue, logger, recovery } = deps;
  const ask = (reason: string) => {
    askReconcile(queue, logger, reason);
    queue
      .add([{ name: 'expire', payload: { schemaVersion: 1 } }])
      .catch((error: unknown) => logger.warn('queue away; what has expired is forgotten later', { error }));
  };
  const stopKeeping = keepLedgerWhole(deps, { onRebuilt: () => ask('rebuilt') });
  ask('startup');
  const clock = setInterval(() => ask('periodic'), everyMs);
  const watch = setInterval(() => {
    askWhereRestarted(recovery, ask).catch((error: unknown) =>
      // Away or being rebuilt: the next look finds out.
      logger.debug('the server behind the ledger cannot be asked', { error }),
    );
  }, lookEveryMs);
  for (const timer of [clock, watch]) timer.unref();
  return () => {
    stopKeeping();
    clearInterval(clock);
    clearInterval(watch);
  };
}

async function askWhereRestarted(recovery: LedgerRecovery, ask: (reason: string) => void): Promise<void> {
  const start = await recovery.serverStart();
  if ((await recovery.comparedStart()) !== start) ask(`${restartReason}${start}`);
}
