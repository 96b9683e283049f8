import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { type Content, makeContent } from './contents/content.ts';
import { type InsistOptions, insist } from './insist.ts';
import type { PlannedContent } from './operations.ts';
import { note, type RunState, violate } from './run-state.ts';
import { livingVersions, type Slot } from './slots.ts';

/** The `Idempotency-Key` under which a version is sent. */
export const keyOf = (slot: Slot, { ordinal }: PlannedContent) => `${slot.key}#${ordinal}`;

export function send(
  state: RunState,
  slot: Slot,
  { body }: Content,
  idempotencyKey: string,
  api?: number,
): Promise<Job> {
  const options = {
    idempotencyKey,
    namespace: slot.namespace,
    ...(slot.named ? { documentId: slot.documentId } : {}),
  };
  const client = state.clientOf(slot.tenant, api);
  return 'text' in body
    ? client.ingestText(body.text, { mediaType: body.mediaType, ...options })
    : client.ingestFile({ blob: new Blob([body.bytes], { type: body.mediaType }), filename: body.filename }, options);
}

/** Writes down that the service has accepted a version. */
export function remember(
  state: RunState,
  slot: Slot,
  planned: PlannedContent,
  content: Content,
  job: Job,
  keyed = true,
): void {
  const { body: _body, ...facts } = content;
  if (slot.documentId !== undefined && job.documentId !== slot.documentId) {
    violate(state, 'wrong_document', `asked for ${slot.documentId}, got ${job.documentId}`, slot);
  }
  slot.documentId = job.documentId;
  const newest = slot.versions.at(-1);
  if (newest && job.version <= newest.version) {
    violate(state, 'version_not_newer', `version ${job.version} after ${newest.version}`, slot);
  }
  slot.versions.push({
    ordinal: planned.ordinal,
    content: facts,
    jobId: job.id,
    version: job.version,
    keyed,
    life: slot.lives,
    cancelled: 'no',
    retries: 0,
  });
  state.history.write({
    type: 'accepted',
    document: slot.key,
    documentId: job.documentId,
    namespace: slot.namespace,
    jobId: job.id,
    version: job.version,
    kind: planned.kind,
    ...(keyed ? { key: keyOf(slot, planned) } : {}),
    expected: content.end,
  });
}

/** Sends a version, `atOnce` times at the same time, until it is answered or refused. */
export async function submit(
  state: RunState,
  patience: InsistOptions,
  slot: Slot,
  planned: PlannedContent,
  { patient, atOnce }: { patient: boolean; atOnce: number },
): Promise<void> {
  const content = await makeContent(state.seed, planned.index, planned.ordinal, planned.kind);
  const key = keyOf(slot, planned);
  const options = { takesNo: !patient && atOnce === 1, repeatsConflict: true, giveUpAt: patience.giveUpAt };
  const outcomes = await Promise.all(
    Array.from({ length: atOnce }, () => insist(state, slot, 'ingest', () => send(state, slot, content, key), options)),
  );
  const jobs = outcomes.flatMap((outcome) => (outcome.kind === 'answered' ? [outcome.result] : []));
  const [job] = jobs;
  for (const outcome of outcomes) {
    if (outcome.kind !== 'refused') continue;
    if (outcome.error.status !== 503) {
      violate(state, 'refused', `ingest was answered ${outcome.error.status}: ${outcome.error.message}`, slot);
    } else {
      slot.refused.set(planned.ordinal, content);
      state.history.write({ type: 'refused', document: slot.key, ordinal: planned.ordinal });
    }
  }
  if (!job) return;
  if (new Set(jobs.map(({ id }) => id)).size > 1) {
    violate(state, 'doubled', `one key was given ${jobs.map(({ id }) => id).join(', ')}`, slot);
  }
  remember(state, slot, planned, content, job);
}

export async function submitBatch(
  state: RunState,
  patience: InsistOptions,
  slots: readonly Slot[],
  planned: readonly PlannedContent[],
): Promise<void> {
  const [first] = slots;
  if (!first) return;
  const contents = await Promise.all(
    planned.map(({ index, ordinal, kind }) => makeContent(state.seed, index, ordinal, kind)),
  );
  const tenant = first.tenant;
  // A batch is one tenant's: its neighbours' items are sent as theirs.
  const mine = slots.flatMap((slot, at) => (slot.tenant === tenant ? [at] : []));
  const others = slots.flatMap((slot, at) => (slot.tenant === tenant ? [] : [at]));
  for (const part of [mine, others]) {
    const leader = slots[part[0] ?? -1];
    if (!leader) continue;
    const items = part.map((at) => {
      const { body } = contents[at] as Content;
      const slot = slots[at] as Slot;
      if (!('text' in body)) throw new Error('a batch carries text');
      return {
        source: { type: 'text' as const, text: body.text, mediaType: body.mediaType },
        documentId: slot.documentId,
        namespace: slot.namespace,
      };
    });
    const outcome = await insist(state, leader, 'batch', (client) => client.ingestBatch(items), patience);
    if (outcome.kind === 'refused') {
      violate(state, 'refused', `batch was answered ${outcome.error.status}: ${outcome.error.message}`, leader);
    }
    if (outcome.kind !== 'answered') continue;
    part.forEach((at, position) => {
      const job = outcome.result.jobs[position];
      const [slot, content, plan] = [slots[at], contents[at], planned[at]];
      if (!job || !slot || !content || !plan) return;
      slot.doubtful = outcome.doubtful;
      if (job.state === 'failed' && job.error?.code === 'dependency_unavailable')
        slot.refused.set(plan.ordinal, content);
      else remember(state, slot, plan, content, job, false);
    });
  }
}

/** The same key and content once more, or other content under the key. */
export async function repeat(state: RunState, patience: InsistOptions, slot: Slot, changed: boolean): Promise<void> {
  const version = livingVersions(slot).at(-1);
  if (!version?.keyed) return;
  const { ordinal, content } = version;
  const made = await makeContent(
    state.seed,
    slot.index,
    changed ? ordinal + 1_000 : ordinal,
    changed ? 'text' : content.kind,
  );
  const key = `${slot.key}#${ordinal}`;
  const options = { repeatsConflict: true, giveUpAt: patience.giveUpAt };
  const outcome = await insist(state, slot, 'repeat', () => send(state, slot, made, key), options);
  if (outcome.kind === 'answered' && (changed || outcome.result.id !== version.jobId)) {
    violate(state, 'doubled', `key ${key} was given ${version.jobId}, then ${outcome.result.id}`, slot);
  }
  if (outcome.kind === 'refused' && !(changed && outcome.error.status === 422)) {
    violate(state, 'refused', `repeat was answered ${outcome.error.status}: ${outcome.error.message}`, slot);
  }
  note(state, changed ? 'keys sent again with other content' : 'keys sent again');
}
