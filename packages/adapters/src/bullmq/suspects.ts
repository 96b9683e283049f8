import type { Tier } from '@semantic-memory/shared/contracts/jobs';
import { riskyStages } from '@semantic-memory/shared/ingest/poison';

/** Stalls after which a job is a suspect: one can happen to any job, beside any other. */
const suspectAfter = 2;

/**
 * Jobs that were there when processes died. Which one of them it was shows when they run one after another: so a
 * process has one suspect at a time, beside jobs that are none. In tiers where no document's content is at work there
 * are no suspects.
 */
export interface Suspects {
  /** @param stalled how often the job lost its process */
  enter(stalled: number): Promise<{ leave(): void }>;
}

const free = { leave: () => {} };

export function createSuspects(tier: Tier): Suspects {
  const isRisky = (riskyStages as readonly Tier[]).includes(tier);
  let last: Promise<void> = Promise.resolve();
  return {
    async enter(stalled) {
      if (!isRisky || stalled < suspectAfter) return free;
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await before;
      return { leave: resolve };
    },
  };
}
