import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { StepName, StepPayload } from '../contracts/jobs.ts';
import { isTerminal } from '../contracts/model/job.ts';
import { SearchRequest } from '../contracts/model/search.ts';
import type { QueuedJob } from '../ports/job-queue.ts';
import type { JobRecord } from '../ports/ledger.ts';
import { createDocumentTable } from '../search/document-table.ts';
import { search } from '../search/search.ts';
import { createFakeEmbedder } from '../testing/fake-embedder.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { type Actor, createSchedule } from '../testing/interleaving.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { accept } from './accept.ts';
import { storeOriginal } from './accept-request.ts';
import { cancelJob } from './jobs/cancel.ts';
import { retryJob } from './jobs/retry.ts';
import { reconcile } from './recovery/reconcile.ts';
import { acceptReindex } from './reindex/accept-reindex.ts';
import { reembed } from './reindex/embed-version.ts';
import { finishDeletions, removeDocument } from './remove.ts';
import { runStep } from './run-step.ts';
import { readChunkSet } from './stored/artifacts.ts';
import { deletingPrefix, documentPrefix, pendingPrefix, tombstoneKey, versionOfKey } from './stored/blob-keys.ts';
import { Tombstone } from './stored/tombstone.ts';

/*
 * Several processes at once on one document, in orders that follow from seeds: at every call of blob store, ledger,
 * queue or index another one may go first, and workers are killed, or frozen for a while, in between. In the end the newest version is the
 * active one, what was deleted is gone, and every store agrees.
 */

const tenant = 'acme';
const scope = { tenant, namespace: 'default' };
const nextModel = 'next-model';
const documentId = 'notes';
const chunksOfVersion = 3;
const seedsPerRace = 60;

/** A text of a few chunks, each of which says which text it is of. */
const textOf = (name: string) =>
  Array.from(
    { length: chunksOfVersion },
    (_, part) => `# Part ${part} of ${name}\n\nThe harbour ${name} ${'tells of ships and the sea '.repeat(12)}.`,
  ).join('\n\n');

interface Race {
  readonly flow: InMemoryFlow;
  /** Jobs that were accepted, in the order of their answers. */
  readonly jobs: JobRecord[];
  /** The newest version that a delete has taken. */
  deletedUpTo: number;
  /** Workers that were killed or frozen, and of these the killed. */
  lostLocks: number;
  kills: number;
  cancels: number;
  /** The model that the namespace has in the end. */
  model: string;
  /** What the queue holds for when the race is over. */
  readonly later: QueuedJob[];
  /** Jobs that somebody cancelled for good. */
  readonly cancelled: Set<string>;
  reindex?: JobRecord;
  depsFor(actor: Actor): InMemoryFlow['deps'];
  ingest(actor: Actor, name: string): Promise<JobRecord>;
  remove(actor: Actor): Promise<void>;
}

function createRace(): Race {
  const flow = createInMemoryFlow({ otherModels: [createFakeEmbedder(nextModel)] });
  // Files and timers would make the order depend on the machine.
  const { blobs } = flow;
  blobs.localFile = async (key) => ({ path: key, dispose: async () => {} });
  const put = blobs.put;
  blobs.put = async (key, bytes) => {
    if (key === tombstoneKey(tenant, documentId)) {
      const { upToVersion } = Tombstone.parse(JSON.parse(new TextDecoder().decode(bytes)));
      race.deletedUpTo = Math.max(race.deletedUpTo, upToVersion);
    }
    await put(key, bytes);
  };
  const parser: InMemoryFlow['deps']['parser'] = {
    parse: async ({ path }) => ({
      schemaVersion: 1,
      mediaType: 'text/markdown',
      paged: false,
      pages: [{ number: 1, text: new TextDecoder().decode(await blobs.get(path)), needsOcr: false }],
      warnings: [],
    }),
    close: async () => {},
  };
  const race: Race = {
    flow,
    jobs: [],
    deletedUpTo: 0,
    lostLocks: 0,
    kills: 0,
    cancels: 0,
    model: flow.deps.embeddingModel,
    later: [],
    cancelled: new Set(),
    depsFor(actor) {
      const vectors = actor.gated(flow.vectors);
      return {
        ...flow.deps,
        parser,
        blobs: actor.gated(flow.blobs),
        ledger: actor.gated(flow.ledger),
        queue: actor.gated(flow.queue),
        vectors,
        indexWriter: {
          write: async (key, records) => {
            await vectors.addMissing(key, records);
            const ids = records.map((record) => record.chunkId);
            const present = await vectors.present(key, ids);
            if (ids.some((id) => !present.has(id))) throw new MemoryError('internal', 'Not all chunks are there.');
          },
        },
        // Nobody is told in mid-step: the worst case.
        cancellations: {
          watch: () => ({ signal: new AbortController().signal, stop: () => {} }),
          close: () => {},
        },
      };
    },
    async ingest(actor, name) {
      const deps = race.depsFor(actor);
      const bytes = (async function* () {
        yield new TextEncoder().encode(textOf(name));
      })();
      const original = await storeOriginal(deps, tenant, bytes, 1e6);
      const request = { tenant, namespace: 'default', documentId, metadata: {}, options: {}, title: name } as const;
      const job = await accept(deps, { ...request, priority: 'normal', source: { type: 'upload' }, original });
      race.jobs.push(job);
      return job;
    },
    async remove(actor) {
      await removeDocument(race.depsFor(actor), tenant, documentId).catch(ignore('not_found'));
    },
  };
  return race;
}

const ignore =
  (...codes: string[]) =>
  (error: unknown) => {
    if (!(error instanceof MemoryError) || !codes.includes(error.code)) throw error;
  };

/** A worker process: takes what the queue holds until all others have ended and nothing is left. */
async function work(race: Race, actor: Actor, running: Set<QueuedJob>, isOver: () => boolean): Promise<void> {
  const deps = race.depsFor(actor);
  // The gate of this port is what makes an idle worker wait its turn.
  const turns = actor.gated({ next: async () => {} });
  while (!isOver()) {
    await turns.next();
    const job = race.flow.queue.take();
    if (job && isLater(job)) race.later.push(job);
    if (!job || isLater(job)) continue;
    running.add(job);
    try {
      await perform(deps, job);
      running.delete(job);
    } catch (error) {
      // As the queue does: it is tried again.
      if (!(error instanceof MemoryError)) throw error;
      running.delete(job);
      await race.flow.queue.add([job]);
    }
  }
}

async function perform(deps: InMemoryFlow['deps'], job: QueuedJob): Promise<void> {
  if (job.name === 'sweep' || job.name === 'reconcile' || job.name === 'expire' || job.name === 'notify') return;
  const delivery = { attempt: 1, lastAttempt: false, stalls: 0, signal: new AbortController().signal };
  if (job.name === 'reembed') return reembed(deps, job.payload, delivery.signal);
  await runStep(deps, job.name as StepName, job.payload as StepPayload, delivery);
}

const live = (race: Race) => ({ ...scope, model: race.model });

/** Searches all the time; whatever it finds must be one whole version, or nothing where nothing may be there. */
async function watch(race: Race, actor: Actor, isOver: () => boolean, mayBeGone: () => boolean, asOf?: string) {
  const deps = {
    ...race.depsFor(actor),
    table: createDocumentTable({ ledger: actor.gated(race.flow.ledger) }),
    versionRetentionMs: race.flow.versionRetentionMs,
  };
  const request = SearchRequest.parse({ query: 'harbour', topK: 100, ...(asOf ? { asOf } : {}) });
  while (!isOver()) {
    const mightBeGone = mayBeGone();
    const { hits } = await search(deps, tenant, request);
    const versions = [...new Set(hits.map((hit) => hit.version))];
    if (hits.length === 0 && (mightBeGone || mayBeGone())) continue;
    expect(versions).toHaveLength(1);
    // One that is deleted while it is searched may be found in part, never again afterwards.
    if (!mayBeGone()) expect(hits).toHaveLength(chunksOfVersion);
  }
}

interface Story {
  /** A version that is active, or begun, before. */
  readonly before?: 'active' | 'embedded';
  readonly deletes?: boolean;
  /** Fewer, where a run takes long. */
  readonly seeds?: number;
  readonly actors: readonly ((race: Race, actor: Actor) => Promise<void>)[];
}

const ingests = (name: string) => async (race: Race, actor: Actor) => void (await race.ingest(actor, name));
const deletes = (race: Race, actor: Actor) => race.remove(actor);
const cancelsFirst = async (race: Race, actor: Actor) => {
  const [job] = race.jobs;
  if (!job) return;
  race.cancels += 1;
  race.cancelled.add(job.id);
  await cancelJob(race.depsFor(actor), tenant, job.id).catch(ignore('conflict', 'not_found'));
};
const retriesFirst = async (race: Race, actor: Actor) => {
  const [job] = race.jobs;
  if (!job) return;
  const again = await retryJob(race.depsFor(actor), tenant, job.id).catch(ignore('conflict', 'not_found'));
  if (again) race.cancelled.delete(job.id);
};
const reindexes = async (race: Race, actor: Actor) => {
  const request = { model: nextModel, force: true, judged: [] };
  // Only a delete could have made the namespace's only document go; the namespace stays.
  race.reindex = await acceptReindex(race.depsFor(actor), scope, request);
};
const inTurn =
  (...acts: readonly ((race: Race, actor: Actor) => Promise<void>)[]) =>
  async (race: Race, actor: Actor) => {
    for (const act of acts) await act(race, actor);
  };

const stories: Record<string, Story> = {
  'a new version, while the one before is in flight': { before: 'embedded', actors: [ingests('two')] },
  'two new versions at once': { before: 'active', actors: [ingests('two'), ingests('three')] },
  'three versions at once, none before': { actors: [ingests('one'), ingests('two'), ingests('three')] },
  'a delete during ingest': { before: 'embedded', deletes: true, actors: [deletes] },
  'a delete and a new version at once': { before: 'active', deletes: true, actors: [deletes, ingests('two')] },
  'a delete, then a new version, while another comes': {
    before: 'active',
    deletes: true,
    actors: [inTurn(deletes, ingests('two')), ingests('three')],
  },
  'two deletes and two new versions': {
    before: 'active',
    deletes: true,
    actors: [deletes, inTurn(ingests('two'), deletes), ingests('three')],
  },
  'a cancel and a retry, while a newer version comes': {
    before: 'embedded',
    actors: [inTurn(cancelsFirst, retriesFirst), ingests('two')],
  },
  'another model, while a new version comes': { before: 'active', seeds: 12, actors: [reindexes, ingests('two')] },
  'another model, while a first version is in flight': {
    before: 'embedded',
    seeds: 12,
    actors: [reindexes, ingests('two')],
  },
  'another model, while the document is deleted': {
    before: 'active',
    deletes: true,
    seeds: 12,
    actors: [reindexes, deletes],
  },
  'another model, while the document is deleted and comes again': {
    before: 'active',
    deletes: true,
    seeds: 12,
    actors: [reindexes, inTurn(deletes, ingests('two'))],
  },
  'a cancel, a retry and a delete': {
    before: 'embedded',
    deletes: true,
    actors: [inTurn(cancelsFirst, retriesFirst), deletes, ingests('two')],
  },
};

test.each(Object.keys(stories))(
  '%s: the newest wins, the deleted stays deleted, in every order',
  async (name) => {
    const story = stories[name]!;
    for (let seed = 1; seed <= (story.seeds ?? seedsPerRace); seed += 1) {
      const race = createRace();
      try {
        await play(race, story, seed);
        await expectAgreement(race);
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  },
  120_000,
);

async function play(race: Race, story: Story, seed: number): Promise<void> {
  const random = seededRandom(seed);
  await prepare(race, story);
  const startedAt = new Date().toISOString();
  const schedule = createSchedule();
  let open = story.actors.length;
  const workers: { actor: Actor; running: Set<QueuedJob> }[] = [];
  const isOver = () =>
    open === 0 && race.flow.queue.waiting.every(isLater) && workers.every((one) => one.running.size === 0);
  const startWorker = () => {
    const running = new Set<QueuedJob>();
    schedule.start(`worker ${workers.length + 1}`, async (actor) => {
      workers.push({ actor, running });
      await work(race, actor, running, isOver);
    });
  };
  startWorker();
  startWorker();
  story.actors.forEach((act, index) => {
    schedule.start(`actor ${index + 1}`, async (actor) => {
      await act(race, actor);
      open -= 1;
    });
  });
  const mayBeGone = () => story.before !== 'active' || story.deletes === true;
  schedule.start('search', (actor) => watch(race, actor, isOver, mayBeGone));
  schedule.start('search as of', (actor) => watch(race, actor, isOver, mayBeGone, startedAt));
  // In two of three runs two workers lose their locks, at moments that the seed chooses: one that is killed, and one that
  // was frozen, wakes, and goes on beside whoever has its step by now.
  const losses = seed % 3 === 0 ? [] : [random(), random()].map((share) => Math.floor(share * 250));
  await schedule.run(random, (step) => {
    if (!losses.includes(step)) return;
    const victim = workers.find(({ running }) => running.size > 0);
    if (!victim) return;
    losses.splice(losses.indexOf(step), 1);
    const left = [...victim.running];
    if (random() < 0.5) {
      race.kills += 1;
      victim.actor.kill();
      victim.running.clear();
      workers.splice(workers.indexOf(victim), 1);
    }
    race.lostLocks += 1;
    // The queue hands the step to another.
    void race.flow.queue.add(left);
    startWorker();
  });
}

/** Jobs that do nothing while the race is on. */
const isLater = (job: QueuedJob) => ['sweep', 'reconcile', 'expire', 'notify'].includes(job.name);

async function prepare(race: Race, story: Story): Promise<void> {
  if (!story.before) return;
  const schedule = createSchedule();
  schedule.start('before', async (actor) => {
    await race.ingest(actor, 'one');
    const deps = race.depsFor(actor);
    for (const _ of story.before === 'active' ? ['parse', 'embed', 'index'] : ['parse', 'embed']) {
      const job = race.flow.queue.take();
      if (job) await perform(deps, job);
    }
  });
  await schedule.run(() => 0);
}

/** What must hold once all is quiet: after the sweep, the maintenance and a look at what fell out of the queue. */
async function expectAgreement(race: Race): Promise<void> {
  const { flow, deletedUpTo } = race;
  const blobsOfDeleted = () =>
    [...flow.blobs.blobs.keys()]
      .filter((key) => key.startsWith(documentPrefix(tenant, documentId)))
      .filter((key) => versionOfKey(key) > 0 && versionOfKey(key) <= deletedUpTo);
  // Only what a killed process has written waits for the sweep.
  if (race.kills === 0) expect(blobsOfDeleted()).toEqual([]);
  flow.ahead = 120_000;
  await finishDeletions(flow.deps);
  await flow.queue.add(race.later);
  await flow.drain();
  await reconcile(flow.deps);
  await flow.drain();
  const jobs = await flow.ledger.getJobs(
    tenant,
    race.jobs.map((job) => job.id),
  );
  expect(jobs.filter((job) => !isTerminal(job.state))).toEqual([]);
  if (race.reindex) {
    expect(await flow.ledger.getJob(tenant, race.reindex.id)).toMatchObject({ state: 'succeeded' });
    expect(await flow.ledger.embeddingModelOf(scope)).toBe(nextModel);
    race.model = nextModel;
  }
  const keys = [...flow.blobs.blobs.keys()];
  expect(keys.filter((key) => key.startsWith(pendingPrefix) || key.startsWith(deletingPrefix))).toEqual([]);
  expect(blobsOfDeleted()).toEqual([]);

  const kept = jobs.filter((job) => job.version > deletedUpTo && !race.cancelled.has(job.id));
  const newest = kept.sort((a, b) => b.version - a.version)[0];
  const document = await flow.ledger.getDocument(tenant, documentId);
  const liveIds = await idsIn(race, live(race));
  const historyIds = await idsIn(race, { ...live(race), history: true });
  if (!newest) {
    expect(document?.activeVersion ?? 0).toBe(0);
    expect([...liveIds, ...historyIds]).toEqual([]);
    return;
  }
  expect(newest.state).toBe('succeeded');
  expect(document?.activeVersion).toBe(newest.version);
  expect(document?.versions.every(({ version }) => version > deletedUpTo)).toBe(true);
  // A job that was not cancelled has succeeded, or was passed by.
  for (const job of kept) {
    if (job.state !== 'succeeded') expect(job.error?.message).toBe('A newer version was indexed first.');
  }
  const active = await chunkIdsOf(race, newest.version);
  expect(liveIds).toEqual(expect.arrayContaining(active));
  // What such a worker wrote for a job that was cancelled since, nobody finds; the reconciler takes it away.
  if (race.lostLocks === 0 || race.cancels === 0) expect(liveIds).toEqual(active);
  const former = document?.versions.filter((known) => known.state === 'active' && known !== document.versions[0]) ?? [];
  const expected: string[] = [];
  for (const { version } of former) {
    if (version !== newest.version) expected.push(...(await chunkIdsOf(race, version)));
  }
  // Versions that were replaced within the same millisecond were active at no moment.
  for (const id of historyIds) expect(expected).toContain(id);
}

async function idsIn(race: Race, key: ReturnType<typeof live> & { history?: true }): Promise<string[]> {
  const hits = await race.flow.vectors.query(key, { vector: new Float32Array(64).fill(0.1), limit: 1000 });
  return hits.map((hit) => hit.chunkId).sort();
}

async function chunkIdsOf(race: Race, version: number): Promise<string[]> {
  const set = await readChunkSet(race.flow.blobs, { tenant, documentId, version });
  expect(set?.chunks).toHaveLength(chunksOfVersion);
  return (set?.chunks ?? []).map((chunk) => chunk.chunkId).sort();
}
