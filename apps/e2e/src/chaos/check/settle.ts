import { isTerminal } from '@semantic-memory/shared/contracts/model/job';
import { pause } from '../fleet/managed-process.ts';
import { namespaces, tenants } from '../operations.ts';
import { note, type RunState, violate } from '../run-state.ts';
import { inBatches, lookAtJob, openVersions } from '../watcher.ts';
import { allJobs } from './check-ends.ts';

const lookEveryMs = 1_000;

/**
 * Waits until everything that was accepted has ended and the stores agree, for as long as the service may take.
 * @throws never: what has not come about is a violation
 */
export async function settle(state: RunState, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (let open = openVersions(state); open.length > 0; open = openVersions(state)) {
    await inBatches(open, 8, (watched) => lookAtJob(state, watched));
    if (Date.now() > deadline) break;
    await pause(lookEveryMs);
  }
  for (const { slot, version } of openVersions(state)) {
    const job = await state
      .clientOf(slot.tenant)
      .job(version.jobId)
      .catch((error: unknown) => String(error));
    violate(
      state,
      'stuck',
      `${version.jobId} has not ended ${withinMs} ms after the last fault: ${JSON.stringify(job)}`,
      slot,
    );
  }
  await queuesEmpty(state, deadline);
  await strangersEnded(state, deadline);
  await consistent(state, deadline);
}

/** No step waits or runs any more; housekeeping may. */
async function queuesEmpty(state: RunState, deadline: number): Promise<void> {
  for (;;) {
    const { queues } = await state.clientOf(tenants[0]).admin.queues();
    const busy = queues.filter(
      ({ tier, waiting, active, delayed }) => tier !== 'maintenance' && waiting + active + delayed > 0,
    );
    if (busy.length === 0) break;
    if (Date.now() > deadline) {
      violate(state, 'stuck', `queues are not empty: ${JSON.stringify(busy)}`);
      break;
    }
    await pause(lookEveryMs);
  }
}

/** What was left by requests that were answered with 503 is taken away; what stays is told where ends are checked. */
async function strangersEnded(state: RunState, deadline: number): Promise<void> {
  const known = new Set([...state.slots.values()].flatMap(({ versions }) => versions.map(({ jobId }) => jobId)));
  for (const tenant of tenants) {
    for (;;) {
      const open: string[] = [];
      for await (const { id, state: now } of allJobs(state, tenant))
        if (!known.has(id) && !isTerminal(now)) open.push(id);
      if (open.length === 0 || Date.now() > deadline) break;
      note(state, 'looks until refused requests had left nothing');
      await pause(lookEveryMs);
    }
  }
}

/** Every store counts the same, in the service's own words. */
async function consistent(state: RunState, deadline: number): Promise<void> {
  const since = Date.now();
  for (const tenant of tenants) {
    for (;;) {
      const stats = await state.clientOf(tenant).stats();
      const known = stats.namespaces.filter(({ namespace }) => (namespaces as readonly string[]).includes(namespace));
      if (stats.consistent && known.length === namespaces.length) break;
      if (Date.now() > deadline) {
        violate(state, 'inconsistent', `the stats of ${tenant} do not agree: ${JSON.stringify(stats)}`);
        break;
      }
      note(state, 'looks until the stores agreed');
      await pause(lookEveryMs);
    }
  }
  state.history.write({ type: 'stores agree', afterMs: Date.now() - since });
}
