import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { isTerminal } from '@semantic-memory/shared/contracts/model/job';
import type { JobEvent, JobRecord } from '@semantic-memory/shared/ports/ledger';
import type { ChangeSignals } from './change-signals.ts';
import { redisFailure, withRedis } from './connection.ts';
import { type LedgerAccess, readLedger } from './gate.ts';
import { parseWithEvent } from './revisioned.ts';

const eventsPerRead = 100;
const eventId = /^\d+-\d+$/;

interface EventDeps extends LedgerAccess {
  readonly signals: ChangeSignals;
}

/** See the port. An `afterId` that is no event id is as good as none. Throws `not_found` where there is no such job. */
export async function* watchJob(
  deps: EventDeps,
  tenant: string,
  jobId: string,
  afterId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<JobEvent, void, void> {
  let seen = afterId !== undefined && eventId.test(afterId) ? afterId : undefined;
  // Listening begins before the first read, so that nothing falls in between.
  const changes = await withRedis(deps.redis, () => deps.signals.listen(deps.keys.tenant(tenant).changed(jobId)));
  let started = false;
  try {
    while (!signal.aborted) {
      // Who is watching already keeps watching: an outage is shorter than a job.
      const found = await look(deps, tenant, jobId, seen).catch((error: unknown) => {
        if (started && ['dependency_unavailable', 'rebuilding'].includes(redisFailure(error).code)) return undefined;
        throw error;
      });
      started = true;
      for (const event of found?.events ?? []) {
        yield event;
        seen = event.id;
        if (signal.aborted) return;
      }
      if (found?.ended) return;
      if (!found?.events.length) await changes.next(signal);
    }
  } finally {
    changes.stop();
  }
}

/** What came after an event, and whether it is all that there will be. */
async function look(deps: EventDeps, tenant: string, jobId: string, after: string | undefined) {
  const events = await unseen(deps, tenant, jobId, after);
  if (events.length > 0) return { events, ended: false };
  const newest = await newestEvent(deps, deps.keys.tenant(tenant).job(jobId), jobId);
  return { events, ended: isTerminal(newest.job.state) && !isBefore(after, newest.id) };
}

/** What came after an event. Where the stream has expired the record itself is the last event. */
async function unseen(deps: EventDeps, tenant: string, jobId: string, after: string | undefined): Promise<JobEvent[]> {
  const { events, job } = deps.keys.tenant(tenant);
  const found = await readEvents(deps, events(jobId), after);
  if (found.length > 0) return found;
  const newest = await newestEvent(deps, job(jobId), jobId);
  if (!isBefore(after, newest.id)) return [];
  // It may have come between the two reads, and others with it.
  const late = await readEvents(deps, events(jobId), after);
  return late.length > 0 ? late : [newest];
}

async function readEvents(deps: EventDeps, key: string, after: string | undefined): Promise<JobEvent[]> {
  const from = after === undefined ? '-' : `(${after}`;
  const entries = await readLedger(deps, (redis) => redis.xrange(key, from, '+', 'COUNT', eventsPerRead));
  return entries.map(([id, fields]) => ({ id, job: JSON.parse(fields[1]!) as JobRecord }));
}

async function newestEvent(deps: EventDeps, key: string, jobId: string): Promise<JobEvent> {
  const stored = parseWithEvent<JobRecord>(await readLedger(deps, (redis) => redis.get(key)));
  if (!stored) throw new MemoryError('not_found', `There is no job ${jobId}.`);
  return { id: stored.eventId, job: stored.value };
}

/** Stream ids order by their two numbers. */
function isBefore(a: string | undefined, b: string): boolean {
  if (a === undefined) return true;
  const [aMs, aCount] = a.split('-').map(Number) as [number, number];
  const [bMs, bCount] = b.split('-').map(Number) as [number, number];
  return aMs < bMs || (aMs === bMs && aCount < bCount);
}
