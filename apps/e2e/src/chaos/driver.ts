import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { type Content, makeContent } from './contents/content.ts';
import { pause } from './fleet/managed-process.ts';
import { insist, type Outcome } from './insist.ts';
import { type Operation, type PlannedContent, planOperations, primers } from './operations.ts';
import { forgets, note, type RunState, violate } from './run-state.ts';
import { type AcceptedVersion, livingVersions, newSlot, type Slot, type SlotSettings } from './slots.ts';

export interface DriverSettings {
  /** Operations a second, where the service keeps up. */
  readonly perSecond: number;
  /** No more documents than this are on their way at a time. */
  readonly mostOpen: number;
  readonly openJobs: () => number;
  /** After this no request is repeated any more. */
  readonly giveUpAt: () => number;
}

/** Sends the first documents, before any fault, so that every namespace exists. */
export async function sendPrimers(state: RunState): Promise<void> {
  for (const { slot: slotSettings, content } of primers) {
    const slot = addSlot(state, slotSettings);
    // The API that first hears of a namespace gives it its model.
    const api = slotSettings.namespace === 'default' ? 0 : 1;
    const made = await makeContent(state.seed, content.index, content.ordinal, content.kind);
    const job = await send(state, slot, made, keyOf(slot, content), api);
    remember(state, slot, content, made, job);
  }
}

/** Does what users do until the signal fires, then waits for the answers that are missing. */
export async function driveOperations(state: RunState, settings: DriverSettings, signal: AbortSignal): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const mostUnderWay = 60;
  for (const operation of planOperations(state.seed)) {
    while (!signal.aborted && (underWay.size >= mostUnderWay || settings.openJobs() >= settings.mostOpen)) {
      await pause(50);
    }
    if (signal.aborted) break;
    const work = perform(state, settings, operation)
      .catch((error: unknown) => violate(state, 'driver', `${operation.name}: ${String((error as Error).stack)}`))
      .finally(() => underWay.delete(work));
    underWay.add(work);
    await pause(1000 / settings.perSecond);
  }
  await Promise.all(underWay);
}

function addSlot(state: RunState, settings: SlotSettings): Slot {
  const slot = newSlot(settings);
  state.slots.set(slot.index, slot);
  return slot;
}

/** Does something with a document once the requests before are answered. */
function inTurn(slot: Slot, act: () => Promise<void>): Promise<void> {
  const turn = slot.turn.then(act);
  // A failure is whoever's who waits for it; the next in turn goes on.
  slot.turn = turn.catch(() => {});
  return turn;
}

async function perform(state: RunState, settings: DriverSettings, operation: Operation): Promise<void> {
  switch (operation.name) {
    case 'create': {
      const slot = addSlot(state, operation.slot);
      return inTurn(slot, () => submit(state, settings, slot, operation.content, operation));
    }
    case 'batch': {
      const slots = operation.items.map((item) => addSlot(state, item.slot));
      const contents = operation.items.map((item) => item.content);
      const sending = submitBatch(state, settings, slots, contents);
      for (const slot of slots) slot.turn = sending.catch(() => {});
      return sending;
    }
    default: {
      const slot = state.slots.get(operation.index);
      if (!slot) return;
      return inTurn(slot, () => {
        switch (operation.name) {
          case 'version':
            return submit(state, settings, slot, operation.content, { patient: true, atOnce: 1 });
          case 'repeat':
            return repeat(state, settings, slot, operation.changed);
          case 'cancel':
            return cancel(state, settings, slot);
          case 'retry':
            return retry(state, settings, slot);
          case 'delete':
            return remove(state, settings, slot);
          default: {
            const never: never = operation;
            throw new Error(`unknown operation ${String(never)}`);
          }
        }
      });
    }
  }
}

const keyOf = (slot: Slot, { ordinal }: PlannedContent) => `${slot.key}#${ordinal}`;

function send(state: RunState, slot: Slot, { body }: Content, idempotencyKey: string, api?: number): Promise<Job> {
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
function remember(
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

async function submit(
  state: RunState,
  settings: DriverSettings,
  slot: Slot,
  planned: PlannedContent,
  { patient, atOnce }: { patient: boolean; atOnce: number },
): Promise<void> {
  const content = await makeContent(state.seed, planned.index, planned.ordinal, planned.kind);
  const key = keyOf(slot, planned);
  const options = { takesNo: !patient && atOnce === 1, repeatsConflict: true, giveUpAt: settings.giveUpAt };
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

async function submitBatch(
  state: RunState,
  settings: DriverSettings,
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
    const outcome = await insist(state, leader, 'batch', (client) => client.ingestBatch(items), settings);
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
async function repeat(state: RunState, settings: DriverSettings, slot: Slot, changed: boolean): Promise<void> {
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
  const options = { repeatsConflict: true, giveUpAt: settings.giveUpAt };
  const outcome = await insist(state, slot, 'repeat', () => send(state, slot, made, key), options);
  if (outcome.kind === 'answered' && (changed || outcome.result.id !== version.jobId)) {
    violate(state, 'doubled', `key ${key} was given ${version.jobId}, then ${outcome.result.id}`, slot);
  }
  if (outcome.kind === 'refused' && !(changed && outcome.error.status === 422)) {
    violate(state, 'refused', `repeat was answered ${outcome.error.status}: ${outcome.error.message}`, slot);
  }
  note(state, changed ? 'keys sent again with other content' : 'keys sent again');
}

async function cancel(state: RunState, settings: DriverSettings, slot: Slot): Promise<void> {
  const version = livingVersions(slot).at(-1);
  if (!version || version.end) return;
  const before = version.cancelled;
  version.cancelled = 'maybe';
  const outcome = await insist(state, slot, 'cancel', (client) => client.cancel(version.jobId), settings);
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

async function retry(state: RunState, settings: DriverSettings, slot: Slot): Promise<void> {
  const version = livingVersions(slot).findLast(({ end }) => end?.state === 'failed' || end?.state === 'cancelled');
  if (!version) return;
  // From now on it may be open again.
  version.retries += 1;
  const wasCancelled = version.cancelled;
  version.cancelled = 'maybe';
  const outcome = await insist(state, slot, 'retry', (client) => client.retry(version.jobId), settings);
  // What was read meanwhile may be from before the retry was carried out.
  version.retries += 1;
  if (outcome.kind === 'answered') version.cancelled = 'no';
  else if (outcome.kind === 'refused') {
    if (outcome.error.status === 409) version.cancelled = outcome.doubtful ? 'no' : wasCancelled;
    else refusedOfKnown(state, slot, 'retry', outcome.error);
  }
  state.history.write({ type: 'retry', document: slot.key, jobId: version.jobId, outcome: outcome.kind });
}

async function remove(state: RunState, settings: DriverSettings, slot: Slot): Promise<void> {
  const { documentId } = slot;
  // The primers stay: they keep their namespaces alive.
  if (slot.index < primers.length || documentId === undefined || livingVersions(slot).length === 0) return;
  const asked: { askedAt: number; doneAt?: number } = { askedAt: Date.now() };
  slot.deletes.push(asked);
  state.history.write({ type: 'delete asked', document: slot.key, documentId });
  const ask = () => insist(state, slot, 'delete', (client) => client.delete(documentId), { ...settings, goesOn: true });
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

export const isOpenVersion = (version: AcceptedVersion): boolean =>
  version.end === undefined || version.end.retries < version.retries;
