import { expireJobs } from '../ingest/jobs/expire-jobs.ts';
import { rebuildLedger } from '../ingest/recovery/rebuild-ledger.ts';
import { expireVersions } from '../ingest/versions/expire.ts';
import type { JobRecord } from '../ports/ledger.ts';
import { createInMemoryFlow, type InMemoryFlow } from './in-memory-flow.ts';

export const day = 24 * 3_600_000;

/** What an accept needs beside a source. */
export const request = {
  tenant: 'acme',
  namespace: 'default',
  metadata: {},
  priority: 'normal',
  options: {},
} as const;

export interface ExpiringFlow {
  readonly flow: InMemoryFlow;
  /** Takes in a text, and runs all that is queued. */
  ingested(text: string, more?: Parameters<InMemoryFlow['ingest']>[1]): Promise<JobRecord>;
  /** Of all jobs that the ledger knows, newest first. */
  jobIds(): Promise<string[]>;
  /** Forgets what is over. @returns how many jobs and batches that were */
  expire(): Promise<number>;
  loseAndRebuild(): Promise<void>;
}

/** A flow whose jobs are kept for ten days, and replaced versions for one. */
export function createExpiringFlow(): ExpiringFlow {
  const flow = createInMemoryFlow();
  Object.assign(flow.deps, { jobRetentionMs: 10 * day });
  return {
    flow,
    async ingested(text, more = {}) {
      const job = await flow.ingest(text, more);
      await flow.drain();
      return job;
    },
    jobIds: async () => (await flow.ledger.listJobs('acme', { limit: 100 })).items.map((job) => job.id),
    async expire() {
      await expireVersions(flow.deps, day);
      return expireJobs(flow.deps);
    },
    async loseAndRebuild() {
      flow.ledger.wipe();
      await flow.ledger.rebuildOnce(async (ledger) => {
        await rebuildLedger({ ...flow.deps, ledger }, new AbortController().signal);
      });
    },
  };
}
