import type { Tier } from '@semantic-memory/shared/contracts/jobs';

/** Documents that a process gathers for one call to the index, where so many come: half of what waits for it. */
export const indexGroupOf = (tiers: readonly Tier[]): number => (tiers.includes('embed') ? 16 : 100);

/**
 * How many jobs of a tier one process has in hand. The work itself is bounded by the child processes behind it; this
 * bounds how many documents wait for them, so that the small ones keep them busy while the blob store answers.
 */
export function concurrencyOf(tier: Tier, settings: { readonly ocrProcesses: number }): number {
  switch (tier) {
    case 'fetch':
      // Nearly all of it is waiting for others; a few receivers of webhooks that hang must not hold up the sources.
      return 8;
    case 'parse':
      return 8;
    case 'ocr':
      return settings.ocrProcesses;
    case 'embed':
      // As many as keep the model busy, and as many short texts that are being committed.
      return 32;
    case 'index':
      // They wait for each other's group: as many as make a full one of short texts.
      return 250;
    case 'maintenance':
      return 4;
    default: {
      const never: never = tier;
      throw new Error(`unknown tier ${String(never)}`);
    }
  }
}

/** Jobs beyond these for whoever would wait behind a tenant that has most of them: where they end in groups. */
export const guestPlacesOf = (tier: Tier): number => (tier === 'embed' ? 4 : 0);
