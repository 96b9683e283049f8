import type { Dice } from '../dice.ts';
import type { Fleet } from '../fleet/fleet.ts';

/**
 * Faults of processes are injected beside those of what the service depends on: two tracks, each with one fault at a
 * time.
 */
export type Track = 'process' | 'dependency';

export type FaultDetails = Readonly<Record<string, string | number>>;

/** One kind of fault: how it is planned from the seed, and what it does. */
export interface FaultKind {
  readonly track: Track;
  /** How often, against the others of its track. */
  readonly weight: number;
  /**
   * What may be gone after it although it was answered, until the service has noticed: `redis` (what was written last,
   * or all), `chroma`. The reader of the run bears with that for a while; the checks at the end do not.
   */
  readonly loses?: 'redis' | 'chroma';
  /** Whether texts that were being embedded may be embedded again: at most a batch of them. */
  readonly repeatsBatch?: boolean;
  readonly plan: (dice: Dice) => FaultDetails;
  /** Resolves once the fault is over and what it hit serves again; `missed` where there was nothing to hit. */
  readonly inject: (fleet: Fleet, details: FaultDetails) => Promise<'done' | 'missed'>;
}
