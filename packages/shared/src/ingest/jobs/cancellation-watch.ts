import { isTerminal } from '../../contracts/model/job.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Logger } from '../../ports/logger.ts';

/** Tells running steps that their job was cancelled or its document deleted. */
export interface CancellationWatch {
  watch(tenant: string, jobId: string): { readonly signal: AbortSignal; stop(): void };
  close(): void;
}

interface Watched {
  readonly tenant: string;
  readonly jobId: string;
  readonly controller: AbortController;
}

/**
 * Asks the ledger every `everyMs` about all jobs that run in this process, in one call a tenant. A step that takes less
 * than that is never asked about.
 */
export function createCancellationWatch(deps: { ledger: Ledger; logger: Logger }, everyMs = 1000): CancellationWatch {
  const watched = new Set<Watched>();
  let asking = false;

  async function ask(): Promise<void> {
    if (asking || watched.size === 0) return;
    asking = true;
    try {
      const byTenant = Map.groupBy(watched, (entry) => entry.tenant);
      for (const [tenant, entries] of byTenant) {
        const jobs = await deps.ledger.getJobs(tenant, [...new Set(entries.map((entry) => entry.jobId))]);
        const ended = new Set(jobs.filter((job) => isTerminal(job.state)).map((job) => job.id));
        for (const entry of entries) if (ended.has(entry.jobId)) entry.controller.abort();
      }
    } catch (error) {
      // Nobody can be told while the ledger is away; the next round asks again.
      deps.logger.debug('cancellations cannot be looked up', { error });
    } finally {
      asking = false;
    }
  }

  const timer = setInterval(() => void ask(), everyMs);
  timer.unref();
  return {
    watch: (tenant, jobId) => {
      const entry: Watched = { tenant, jobId, controller: new AbortController() };
      watched.add(entry);
      return { signal: entry.controller.signal, stop: () => void watched.delete(entry) };
    },
    close: () => clearInterval(timer),
  };
}
