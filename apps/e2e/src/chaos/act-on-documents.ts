import { pause } from './fleet/managed-process.ts';
import { type InsistOptions, insist, type Outcome } from './insist.ts';
import { primers } from './operations.ts';
import { forgets, note, type RunState, violate } from './run-state.ts';
import { livingVersions, type Slot } from './slots.ts';

export async function cancel(state: RunState, patience: InsistOptions, slot: Slot): Promise<void> {
  const version = livingVersions(slot).at(-1);
  if (!version || version.end) return;
  const before = version.cancelled;
  version.cancelled = 'maybe';
  const options = { ...patience, goesOn: true };
  const outcome = await insist(state, slot, 'cancel', (client) => client.cancel(version.jobId), options);
  if (outcome.kind === 'answered') {
    version.cancelled = 'yes';
    if (outcome.result.state !== 'cancelled') {
      violate(state, 'false_state', `a cancel was answered with a job that is ${outcome.result.state}`, slot);
    }
  } else if (outcome.kind === 'refused') {
    // Too late. Where an earlier try may have been heard, it may have been that one.
    if (outcome.error.status === 409 && !outcome.doubtful) version.cancelled = before;
    else if (outcome.error.status !== 409) refusedOfKnown(state, slot, 'cancel', outcome.error);
  }
  state.history.write({ type: 'cancel', document: slot.key, jobId: version.jobId, cancelled: version.cancelled });
}

export async function retry(state: RunState, patience: InsistOptions, slot: Slot): Promise<void> {
  const version = livingVersions(slot).findLast(({ end }) => end?.state === 'failed' || end?.state === 'cancelled');
  if (!version) return;
  // From now on it may be open again.
  version.retries += 1;
  const wasCancelled = version.cancelled;
  version.cancelled = 'maybe';
  const options = { ...patience, goesOn: true };
  const outcome = await insist(state, slot, 'retry', (client) => client.retry(version.jobId), options);
  // What was read meanwhile may be from before the retry was carried out.
  version.retries += 1;
  if (outcome.kind === 'answered') version.cancelled = 'no';
  else if (outcome.kind === 'refused') {
    if (outcome.error.status === 409) version.cancelled = outcome.doubtful ? 'no' : wasCancelled;
    else refusedOfKnown(state, slot, 'retry', outcome.error);
  }
  state.history.write({ type: 'retry', document: slot.key, jobId: version.jobId, outcome: outcome.kind });
}

export async function remove(state: RunState, patience: InsistOptions, slot: Slot): Promise<void> {
  const { documentId } = slot;
  // The primers stay: they keep their namespaces alive.
  if (slot.index < primers.length || documentId === undefined || livingVersions(slot).length === 0) return;
  const asked: { askedAt: number; doneAt?: number } = { askedAt: Date.now() };
  slot.deletes.push(asked);
  state.history.write({ type: 'delete asked', document: slot.key, documentId });
  const ask = () => insist(state, slot, 'delete', (client) => client.delete(documentId), { ...patience, goesOn: true });
  let outcome = await ask();
  let doubtful = outcome.kind !== 'unanswered' && outcome.doubtful;
  while (isForgotten(state, outcome)) {
    note(state, 'documents forgotten for a while');
    await pause(2_000);
    outcome = await ask();
    doubtful ||= outcome.kind !== 'unanswered' && outcome.doubtful;
  }
  if (outcome.kind === 'unanswered') return;
  if (outcome.kind === 'refused' && !(doubtful && outcome.error.status === 404)) {
    refusedOfKnown(state, slot, 'delete', outcome.error);
  }
  asked.doneAt = Date.now();
  slot.lives += 1;
  state.history.write({
    type: 'deleted',
    document: slot.key,
    ...(outcome.kind === 'answered' ? { receipt: outcome.result } : { notFound: true }),
  });
}

/** Whether the service does not know the document, after a loss of data that it may not have noticed yet. */
const isForgotten = (state: RunState, outcome: Outcome<unknown>): boolean =>
  outcome.kind === 'refused' && outcome.error.status === 404 && forgets(state, 'redis');

/** An error about something that the service had accepted. */
function refusedOfKnown(state: RunState, slot: Slot, what: string, error: { status: number; message: string }): void {
  if (error.status === 404 && forgets(state, 'redis')) note(state, 'documents forgotten for a while');
  else
    violate(
      state,
      error.status === 404 ? 'lost' : 'refused',
      `${what} was answered ${error.status}: ${error.message}`,
      slot,
    );
}
