import type { Client } from '@semantic-memory/client/client';
import type { Fleet } from './fleet/fleet.ts';
import type { History } from './history.ts';
import type { Slot } from './slots.ts';

/** A promise that was broken. `document` is the key of the slot whose history explains it. */
export interface Violation {
  readonly kind: string;
  readonly message: string;
  readonly document: string | undefined;
  readonly at: number;
}

/** A fault that was injected. */
export interface InjectedFault {
  readonly kind: string;
  /** The store that may have lost what it had answered. */
  readonly loses?: 'redis' | 'chroma' | undefined;
  readonly beganAt: number;
  /** When it was over and what it had hit served again. */
  healedAt?: number;
  /** From then until the next job finished. */
  recoveredMs?: number;
}

/** What all parts of a run know and share. */
export interface RunState {
  readonly seed: number;
  readonly startedAt: number;
  readonly fleet: Fleet;
  readonly history: History;
  readonly slots: Map<number, Slot>;
  readonly violations: Violation[];
  readonly faults: InjectedFault[];
  /** Oddities that break no promise, counted. */
  readonly notes: Map<string, number>;
  /** Times at which jobs finished, as the service says them; of those that were seen. */
  readonly finishes: number[];
  /** How long those who changed something waited for a 503, in ms. */
  readonly refusalsMs: number[];
  /** Set until the faults begin, and once nothing new is sent and every fault is over. */
  calm: boolean;
  /** A client of one of the APIs, which never repeats by itself. */
  clientOf(tenant: string, api?: number): Client;
}

/** Kinds of violation that are listed with their histories; more of the same kind are only counted. */
const mostOfAKind = 25;

export function violate(state: RunState, kind: string, message: string, slot?: Slot): void {
  const same = state.violations.filter((violation) => violation.kind === kind);
  // What is looked at again and again is told once.
  if (same.some((violation) => violation.message === message)) return;
  if (same.length >= mostOfAKind) {
    note(state, `more of ${kind}`);
    return;
  }
  state.violations.push({ kind, message, document: slot?.key, at: Date.now() - state.startedAt });
  state.history.write({ type: 'violation', kind, message, ...(slot ? { document: slot.key } : {}) });
}

export function note(state: RunState, what: string): void {
  state.notes.set(what, (state.notes.get(what) ?? 0) + 1);
}

/** How long the service may take to notice that something is gone which it had answered. */
const noticesWithinMs = 120_000;

/**
 * Whether what was answered may be missing for the moment: a store has lost data a short while ago.
 * @param at the moment in question (milliseconds since 1970), by default the present one
 */
export function forgets(state: RunState, store: 'redis' | 'chroma', at = Date.now()): boolean {
  if (state.calm) return false;
  return state.faults.some(
    ({ loses, healedAt = at }) => loses === store && at - healedAt >= 0 && at - healedAt < noticesWithinMs,
  );
}

/** Whether everything that the service depends on has been there since some time. */
export function isQuiet(state: RunState, sinceMs: number): boolean {
  const now = Date.now();
  return state.faults.every((fault) => fault.healedAt !== undefined && now - fault.healedAt > sinceMs);
}
