import { ApiError } from '@semantic-memory/client/api-error';
import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import { createDice } from './dice.ts';
import { pause } from './fleet/managed-process.ts';
import { inspectHits } from './inspect-hits.ts';
import { forgets, isQuiet, note, type RunState, violate } from './run-state.ts';
import { type AcceptedVersion, isDeleteAsked, isOpenVersion, livingVersions, type Slot } from './slots.ts';

type Watched = { readonly slot: Slot; readonly version: AcceptedVersion };

const atOnce = 6;
const roundMs = 250;
/** So many jobs that have ended are looked at again in a round. */
const endedAgain = 2;
/** A search right after a dependency came back may still meet an open breaker. */
const quietForMs = 10_000;

/** The versions whose end has not been seen. */
export function openVersions(state: RunState): Watched[] {
  return [...state.slots.values()].flatMap((slot) =>
    slot.versions.filter(isOpenVersion).map((version) => ({ slot, version })),
  );
}

/** Reads what users read, all the time: how the jobs go, whether what has succeeded is found and what is gone is not. */
export async function watch(state: RunState, signal: AbortSignal): Promise<void> {
  const dice = createDice(state.seed);
  while (!signal.aborted) {
    const open = openVersions(state).slice(0, 40);
    const ended = [...state.slots.values()].flatMap((slot) =>
      slot.versions.filter((version) => !isOpenVersion(version)).map((version) => ({ slot, version })),
    );
    const again = ended.length === 0 ? [] : Array.from({ length: endedAgain }, () => dice.pick(ended));
    await inBatches([...open, ...again], atOnce, (watched) => lookAtJob(state, watched));
    const slots = [...state.slots.values()];
    if (slots.length > 0) {
      await Promise.all([lookFor(state, dice.pick(slots)), lookFor(state, dice.pick(slots.slice(-60)))]);
    }
    await pause(roundMs);
  }
}

/** Asks for a job, and remembers how it ended. */
export async function lookAtJob(state: RunState, { slot, version }: Watched): Promise<void> {
  const { retries } = version;
  const before = version.end;
  let job: Job;
  try {
    job = await state.clientOf(slot.tenant).job(version.jobId);
  } catch (error) {
    jobNotRead(state, slot, version, error);
    return;
  }
  if (before && before.retries === version.retries && before.retries === retries && job.state !== before.state) {
    const message = `${job.id} was ${before.state} and is ${job.state}`;
    // What had lost its end may have come to another one by then, as by a delete, and is met only now.
    const changedAt = Date.parse(job.finishedAt ?? job.updatedAt);
    if (forgets(state, 'redis') || forgets(state, 'redis', changedAt)) note(state, 'ends forgotten for a while');
    else violate(state, 'end_changed', message, slot);
  }
  if (!isTerminal(job.state)) return;
  const seenAt = Date.now();
  version.end = { state: job.state, code: job.error?.code, retries, seenAt };
  if (before?.state === job.state && before.retries === retries) return;
  if (job.finishedAt) state.finishes.push(Date.parse(job.finishedAt));
  state.history.write({
    type: 'ended',
    document: slot.key,
    jobId: job.id,
    state: job.state,
    ...(job.error ? { error: job.error } : {}),
    ...(job.finishedAt ? { finishedAt: job.finishedAt } : {}),
  });
  if (job.state === 'succeeded') await mustBeFound(state, slot, version);
}

function jobNotRead(state: RunState, slot: Slot, version: AcceptedVersion, error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 404 && !isDeleteAsked(slot, version)) {
    if (forgets(state, 'redis')) note(state, 'jobs forgotten for a while');
    else violate(state, 'lost', `${version.jobId} was accepted, and is answered with 404`, slot);
  } else if (error.status === 500) violate(state, 'internal_error', `job: ${error.message}`, slot);
}

/** A version that has succeeded is found by a paragraph of its own, unless something has happened to it since. */
async function mustBeFound(state: RunState, slot: Slot, version: AcceptedVersion): Promise<void> {
  const [query] = version.content.sentences;
  if (query === undefined || !isQuiet(state, quietForMs)) return;
  const found = await searchFor(state, slot, query);
  if (!found || found.some((hit) => hit.documentId === slot.documentId)) return;
  const isCurrent = livingVersions(slot).at(-1) === version && !isDeleteAsked(slot, version);
  if (!isCurrent || !isQuiet(state, quietForMs) || forgets(state, 'chroma')) return;
  violate(
    state,
    'not_found',
    `${slot.documentId}@${version.version} has succeeded, and is not among the first hits`,
    slot,
  );
}

/** Searches for any content of a document, current or not: what comes back must be allowed to. */
async function lookFor(state: RunState, slot: Slot): Promise<void> {
  const contents = [...slot.versions.map(({ content }) => content), ...slot.refused.values()];
  const query = contents[Math.floor(Math.random() * contents.length)]?.sentences[0];
  if (query !== undefined) await searchFor(state, slot, query);
}

/** The hits, inspected; undefined where the answer is no full one. */
async function searchFor(state: RunState, slot: Slot, query: string) {
  const askedAt = Date.now();
  try {
    const answer = await state.clientOf(slot.tenant).search({ query, namespace: slot.namespace, mode: 'dense' });
    inspectHits(state, slot.tenant, answer.hits, askedAt);
    return answer.degraded ? undefined : answer.hits;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 500) violate(state, 'internal_error', `search: ${error.message}`, slot);
    return undefined;
  }
}

export async function inBatches<Item>(
  items: readonly Item[],
  size: number,
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: Math.min(size, left.length) }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item);
    }),
  );
}
