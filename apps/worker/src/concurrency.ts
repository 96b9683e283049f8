import type { Tier } from '@semantic-memory/shared/contracts/jobs';

/** Documents that a process gathers for one call to the index, where so many come: a part of what waits for it. */
export const indexGroupOf = (tiers: readonly Tier[]): number => (tiers.includes('embed') ? 16 : 100);

/**
 * How many jobs of a tier one process has in hand. The work itself is bounded by the child processes behind it; this
 * bounds how many documents wait for them, so that the small ones keep them busy while the blob store answers.
 */
export function concurrencyOf(tier: Tier, settings: { readonly ocrProcesses: number }): number {
  const jobs: Readonly<Record<Tier, number>> = {
    // Nearly all of it is waiting for others; a few receivers of webhooks that hang must not hold up the sources.
    fetch: 8,
    parse: 8,
    ocr: settings.ocrProcesses,
    // As many as keep the model busy, and as many short texts that are being committed.
    embed: 48,
    // They wait for each other's group: as many as make a full one of short texts.
    index: 250,
    maintenance: 4,
  };
  return jobs[tier];
}

/** Jobs beyond these for whoever would wait behind a tenant that has most of them: where they end in groups. */
export const guestPlacesOf = (tier: Tier): number => (tier === 'embed' ? 4 : 0);
