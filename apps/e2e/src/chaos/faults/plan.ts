import { createDice } from '../dice.ts';
import { dataLossFaults } from './data-loss.ts';
import { dependencyFaults } from './dependencies.ts';
import type { FaultDetails, FaultKind, Track } from './fault.ts';
import { processFaults } from './processes.ts';

/** Every kind of fault that a run may inject. */
export const faultKinds: Readonly<Record<string, FaultKind>> = {
  ...processFaults,
  ...dependencyFaults,
  ...dataLossFaults,
};

export interface PlannedFault {
  readonly kind: string;
  readonly details: FaultDetails;
  /** From the end of the fault before until this one. */
  readonly pauseMs: number;
}

const pausesMs: Record<Track, readonly [least: number, most: number]> = {
  process: [1_000, 9_000],
  dependency: [2_000, 10_000],
};

/**
 * The faults of a track in their order, without end: how many of them fit depends on how fast the service recovers.
 * Every kind comes once before the weights decide.
 */
export function* planFaults(seed: number, track: Track, kinds: readonly string[]): Generator<PlannedFault> {
  const dice = createDice(seed * 31 + (track === 'process' ? 1 : 2));
  const [least, most] = pausesMs[track];
  const mine = kinds.filter((name) => faultKinds[name]?.track === track);
  if (mine.length === 0) return;
  const planned = (kind: string): PlannedFault => ({
    kind,
    details: faultKinds[kind]?.plan(dice) ?? {},
    pauseMs: dice.between(least, most),
  });
  const first = [...mine];
  while (first.length > 0) yield planned(first.splice(dice.below(first.length), 1)[0] ?? '');
  const weights = Object.fromEntries(mine.map((name) => [name, faultKinds[name]?.weight ?? 0]));
  for (;;) yield planned(dice.weighted(weights));
}
