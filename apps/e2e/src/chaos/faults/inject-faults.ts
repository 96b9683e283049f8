import { pause } from '../fleet/managed-process.ts';
import { type InjectedFault, note, type RunState, violate } from '../run-state.ts';
import type { Track } from './fault.ts';
import { faultKinds, type PlannedFault, planFaults } from './plan.ts';

/** What the promise gives the service: from a dependency's return until work flows again. */
export const recoversWithinMs = 30_000;
/** After this the next fault comes all the same. */
const waitsAtMostMs = 120_000;
const lookEveryMs = 200;

/** Injects the faults of a track one after the other until the time is over, and waits for each to be got over. */
export async function injectFaults(
  state: RunState,
  track: Track,
  kinds: readonly string[],
  until: number,
): Promise<void> {
  for (const planned of planFaults(state.seed, track, kinds)) {
    await pause(Math.min(planned.pauseMs, Math.max(0, until - Date.now())));
    if (Date.now() >= until) return;
    await injectOne(state, planned);
  }
}

async function injectOne(state: RunState, { kind, details }: PlannedFault): Promise<void> {
  const { inject, loses } = faultKinds[kind] ?? {};
  if (!inject) throw new Error(`there is no fault ${kind}`);
  const fault: InjectedFault = { kind, beganAt: Date.now(), loses };
  state.faults.push(fault);
  state.history.write({ type: 'fault', kind, details });
  let outcome: 'done' | 'missed';
  try {
    outcome = await inject(state.fleet, details);
  } catch (error) {
    violate(state, 'fault_failed', `${kind} ${JSON.stringify(details)}: ${String(error)}`);
    outcome = 'done';
  }
  fault.healedAt = Date.now();
  state.history.write({ type: 'fault over', kind, outcome, afterMs: fault.healedAt - fault.beganAt });
  if (outcome === 'missed') {
    state.faults.splice(state.faults.indexOf(fault), 1);
    note(state, `${kind} found nothing to hit`);
    return;
  }
  await recovery(state, fault, fault.healedAt);
}

/** Waits until a job has finished after the fault, and says how long that took. */
async function recovery(state: RunState, fault: InjectedFault, healedAt: number): Promise<void> {
  while (Date.now() - healedAt < waitsAtMostMs) {
    const finished = state.finishes.filter((at) => at >= healedAt);
    if (finished.length > 0) {
      fault.recoveredMs = Math.min(...finished) - healedAt;
      break;
    }
    await pause(lookEveryMs);
  }
  const tookMs = fault.recoveredMs ?? waitsAtMostMs;
  state.history.write({ type: 'recovered', kind: fault.kind, tookMs });
  if (tookMs > recoversWithinMs) {
    violate(
      state,
      'slow_recovery',
      `after ${fault.kind} (over at ${healedAt - state.startedAt} ms) the next job finished after ${tookMs} ms`,
    );
  }
}
