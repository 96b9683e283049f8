import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { isTerminal } from '@semantic-memory/shared/contracts/model/job';
import { tenants } from '../operations.ts';
import { note, type RunState, violate } from '../run-state.ts';
import { type AcceptedVersion, isDeleteAsked, type Slot } from '../slots.ts';

/** Every accepted version has ended, and as its content must; and no job is there that nobody asked for. */
export async function checkEnds(state: RunState): Promise<void> {
  for (const slot of state.slots.values()) {
    for (const version of slot.versions) checkEnd(state, slot, version);
  }
  const accepted = new Map<string, Slot>();
  for (const slot of state.slots.values()) for (const { jobId } of slot.versions) accepted.set(jobId, slot);
  for (const tenant of tenants) {
    const listed = new Set<string>();
    for await (const job of allJobs(state, tenant)) {
      if (listed.has(job.id)) violate(state, 'doubled', `${job.id} is listed twice`);
      listed.add(job.id);
      const slot = accepted.get(job.id);
      if (!slot) checkUnknown(state, tenant, job);
      else if (slot.tenant !== tenant) violate(state, 'other_tenant', `${tenant} is shown ${job.id} of ${slot.tenant}`);
    }
    for (const [jobId, slot] of accepted) {
      if (slot.tenant !== tenant || listed.has(jobId)) continue;
      const version = slot.versions.find((candidate) => candidate.jobId === jobId);
      if (version && !isDeleteAsked(slot, version))
        violate(state, 'lost', `${jobId} is not among the listed jobs`, slot);
    }
  }
}

function checkEnd(state: RunState, slot: Slot, version: AcceptedVersion): void {
  const { end, content, jobId, cancelled } = version;
  // Not ended is told where it was waited for.
  if (!end) return;
  const told = `${jobId} (${content.kind}, version ${version.version}) ended ${end.state}${end.code ? ` (${end.code})` : ''}`;
  const expected = content.end;
  const isExpected = end.state === expected.state && (expected.state === 'succeeded' || end.code === expected.code);
  if (end.state === 'cancelled') {
    const overtaken = slot.versions.some(
      ({ version: number, end: other }) => number > version.version && other?.state === 'succeeded',
    );
    if (cancelled === 'no' && !isDeleteAsked(slot, version) && !overtaken && !slot.doubtful) {
      violate(state, 'false_state', `${told}, though nobody cancelled it`, slot);
    }
  } else if (cancelled === 'yes') violate(state, 'false_state', `${told}, though its cancel was answered`, slot);
  else if (!isExpected) {
    violate(
      state,
      'false_state',
      `${told}, and should be ${expected.state}${'code' in expected ? ` (${expected.code})` : ''}`,
      slot,
    );
  }
}

/** A job of a request that was not answered with 202: it must come to nothing. */
function checkUnknown(state: RunState, tenant: string, job: Job): void {
  const slot = [...state.slots.values()].find(
    (candidate) => candidate.tenant === tenant && candidate.documentId === job.documentId,
  );
  if (slot?.doubtful) return;
  if (isTerminal(job.state) && job.state !== 'succeeded' && job.state !== 'partial')
    note(state, `unknown jobs that ended ${job.state}`);
  else
    violate(
      state,
      'unknown_job',
      `${job.id} of ${job.documentId} is ${job.state}, and no request was answered with it`,
      slot,
    );
}

export async function* allJobs(state: RunState, tenant: string): AsyncGenerator<Job> {
  for (let cursor: string | undefined; ; ) {
    const page = await state.clientOf(tenant).jobs({ limit: 200, cursor });
    yield* page.items;
    cursor = page.nextCursor;
    if (cursor === undefined) return;
  }
}
