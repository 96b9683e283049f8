import type { LedgerRecovery } from '../../ports/ledger.ts';
import type { IngestDeps } from '../deps.ts';
import { rebuildLedger } from './rebuild-ledger.ts';

/**
 * Looks every `everyMs` whether the ledger is whole, and rebuilds it where it is not and no other process does. While it
 * is not whole its every call throws `rebuilding`: requests are answered 503, steps wait.
 * @param onRebuilt called once this process has rebuilt it
 * @returns stops looking; a rebuild that runs ends with the process, and another takes over
 */
export function keepLedgerWhole(
  deps: IngestDeps & { readonly recovery: LedgerRecovery },
  { everyMs = 1000, onRebuilt = () => {} }: { everyMs?: number; onRebuilt?: () => void } = {},
): () => void {
  const { recovery, logger } = deps;
  const stopped = new AbortController();
  let looking = false;

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      if (await recovery.isWhole()) return;
      const rebuilt = await recovery.rebuildOnce(async (ledger, signal) => {
        // Whatever start of the server this is: the ledger is what the blob store tells from here on.
        const start = await recovery.serverStart();
        await rebuildLedger({ ...deps, ledger }, AbortSignal.any([signal, stopped.signal]));
        await recovery.markCompared(start);
      });
      if (rebuilt) onRebuilt();
    } catch (error) {
      if (!stopped.signal.aborted) logger.warn('the ledger cannot be rebuilt now', { error });
    } finally {
      looking = false;
    }
  }

  void look();
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    stopped.abort();
  };
}
