import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { StepPayload } from '../contracts/jobs.ts';
import { isTerminal } from '../contracts/model/job.ts';
import type { StoredSource } from '../contracts/model/source.ts';
import type { QueuedJob } from '../ports/job-queue.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { type Actor, createSchedule } from '../testing/interleaving.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { accept } from './accept.ts';
import { reconcile } from './recovery/reconcile.ts';
import { removeDocument } from './remove.ts';
import { runStep } from './run-step.ts';
import { pendingPrefix } from './stored/blob-keys.ts';
import { readText } from './versions/read-document.ts';

/*
 * One fetch step in the hands of two workers at once, as when the queue takes one for dead that was only frozen, and a
 * worker that is killed at any moment of it, in orders that follow from seeds. The source says something else each time
 * it is asked. In the end each file is one document with one version, and every store agrees.
 */

const tenant = 'acme';
const seeds = Array.from({ length: 40 }, (_, index) => index + 1);
const paths = ['a.md', 'b.md', 'c.md'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-memory-fetch-races-'));
  for (const commit of [1, 2, 3, 4]) {
    for (const path of paths) await writeFile(join(folder, `${commit}-${path}`), textOf(path, commit));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const textOf = (path: string, time: number) => `The text of ${path} in commit ${time}.`;

function createRace(): InMemoryFlow {
  const flow = createInMemoryFlow();
  // Files and timers would make the order depend on the machine.
  const { putStream } = flow.blobs;
  flow.blobs.putStream = (key, stream, limits) =>
    putStream(key, 'path' in stream ? once(readFileSync(stream.path as string)) : stream, limits);
  return flow;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What is fetched moves on between any two looks at it; a commit that was seen can be asked for by its name. */
function depsFor(flow: InMemoryFlow, actor: Actor, looks: { count: number }): InMemoryFlow['deps'] {
  const look = () => Math.min(4, ++looks.count);
  return {
    ...flow.deps,
    blobs: actor.gated(flow.blobs),
    ledger: actor.gated(flow.ledger),
    queue: actor.gated(flow.queue),
    web: actor.gated({
      fetch: async () => ({
        body: once(new TextEncoder().encode(textOf('page', look()))),
        mediaType: 'text/plain',
        finalUrl: 'https://example.org/page',
      }),
    }),
    git: actor.gated({
      checkout: async ({ ref }: { ref?: string | undefined }) => {
        const commit = ref?.startsWith('commit-') ? Number(ref.slice(7)) : look();
        return {
          commit: `commit-${commit}`,
          files: paths.map((path) => ({ path, localPath: join(folder, `${commit}-${path}`), bytes: 30 })),
          dispose: async () => {},
        };
      },
    }),
    objects: actor.gated({
      async *list() {
        look();
        yield paths.map((key) => ({ key, bytes: 30 }));
      },
      fetch: async ({ key }: { key: string }) => ({
        body: once(new TextEncoder().encode(textOf(key, look()))),
        mediaType: 'text/plain',
      }),
    }),
    allowedBuckets: [{ tenant, bucket: 'library', prefix: '' }],
    // Nobody is told in mid-step: the worst case.
    cancellations: { watch: () => ({ signal: new AbortController().signal, stop: () => {} }), close: () => {} },
  };
}

interface Play {
  readonly flow: InMemoryFlow;
  readonly jobId: string;
}

type Act = (deps: InMemoryFlow['deps']) => Promise<void>;

/** Has the fetch step of a source done twice at once, kills one worker in two of three runs, and lets all come to rest. */
async function play(seed: number, source: StoredSource, act?: Act): Promise<Play> {
  const flow = createRace();
  const random = seededRandom(seed);
  const job = await accept(flow.deps, {
    tenant,
    namespace: 'default',
    documentId: 'source',
    metadata: {},
    priority: 'normal',
    options: {},
    source,
  });
  const step = flow.queue.take();
  if (!step) throw new Error('nothing was queued');
  const looks = { count: 0 };
  const actors: Actor[] = [];
  const schedule = createSchedule();
  const killAt = seed % 3 === 0 ? -1 : Math.floor(random() * 60);
  const startWorker = (name: string) =>
    schedule.start(name, async (actor) => {
      actors.push(actor);
      const deps = depsFor(flow, actor, looks);
      await perform(deps, flow, step);
      await work(flow, deps);
    });
  startWorker('worker 1');
  startWorker('worker 2');
  if (act) schedule.start('user', (actor) => act(depsFor(flow, actor, looks)));
  await schedule.run(random, (taken) => {
    if (taken !== killAt) return;
    actors[0]?.kill();
    startWorker('worker 3');
  });
  const waiting: QueuedJob[] = [];
  for (let next = flow.queue.take(); next; next = flow.queue.take()) waiting.push(next);
  // What is left of the step is done by whoever comes next.
  await flow.queue.add([step, ...waiting]);
  schedule.start('after', (actor) => work(flow, depsFor(flow, actor, looks)));
  await schedule.run(() => 0);
  // Whatever fell out of a queue, or was left half done, is found by then.
  for (let round = 0; round < 3; round += 1) {
    flow.ahead += 3_600_000;
    await reconcile(flow.deps, { documents: 'all', index: 'exact' });
    schedule.start('after', (actor) => work(flow, depsFor(flow, actor, looks)));
    await schedule.run(() => 0);
  }
  return { flow, jobId: job.id };
}

/** A fault that may pass is tried again, as the queue does. */
async function perform(deps: InMemoryFlow['deps'], flow: InMemoryFlow, job: QueuedJob): Promise<void> {
  const delivery = { attempt: 1, lastAttempt: false, stalls: 0, signal: new AbortController().signal };
  try {
    await runStep(deps, job.name as 'fetch', job.payload as StepPayload, delivery);
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    await flow.queue.add([job]);
  }
}

const isStep = ({ name }: QueuedJob) => !['sweep', 'reconcile', 'expire', 'notify'].includes(name);

async function work(flow: InMemoryFlow, deps: InMemoryFlow['deps']): Promise<void> {
  const parser: InMemoryFlow['deps']['parser'] = {
    parse: async ({ path }) => ({
      schemaVersion: 1,
      mediaType: 'text/plain',
      paged: false,
      pages: [{ number: 1, text: new TextDecoder().decode(await flow.blobs.get(path)), needsOcr: false }],
      warnings: [],
    }),
    close: async () => {},
  };
  const blobs = { ...flow.blobs, localFile: async (path: string) => ({ path, dispose: async () => {} }) };
  for (let steps = 0; steps < 200; steps += 1) {
    const job = flow.queue.take();
    if (!job) return;
    if (isStep(job)) await perform({ ...deps, blobs, parser }, flow, job);
  }
  throw new Error('the work never ends');
}

async function expectAgreement({ flow, jobId }: Play): Promise<void> {
  const { items } = await flow.ledger.listJobs(tenant, { limit: 100 });
  expect(items.filter((job) => !isTerminal(job.state)).map((job) => job.id)).toEqual([]);
  expect([...flow.blobs.blobs.keys()].filter((key) => key.startsWith(pendingPrefix))).toEqual([]);
  expect((await flow.ledger.children(tenant, jobId)).sort()).toEqual(
    items
      .filter((job) => job.id !== jobId)
      .map((job) => job.id)
      .sort(),
  );
  const { drift } = await reconcile(flow.deps, { documents: 'all', index: 'exact' });
  expect(drift).toEqual({});
}

async function eachSeed(run: (seed: number) => Promise<void>): Promise<void> {
  for (const seed of seeds) {
    await run(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
  }
}

test('a repository that is fetched twice at once gives each file one document with one version, all of one commit', async () => {
  await eachSeed(async (seed) => {
    const played = await play(seed, { type: 'git', url: 'https://example.org/library.git' });
    await expectAgreement(played);
    const { flow, jobId } = played;
    expect(await flow.ledger.getJob(tenant, jobId)).toMatchObject({ state: 'succeeded' });
    expect(await flow.ledger.children(tenant, jobId)).toHaveLength(paths.length);
    const commits = new Set<unknown>();
    for (const path of paths) {
      const document = await flow.ledger.getDocument(tenant, `source:${path}`);
      expect(document?.versions).toMatchObject([{ state: 'active' }]);
      const commit = document?.metadata.commit;
      expect(await readText(flow.deps, tenant, `source:${path}`)).toBe(
        textOf(path, Number(String(commit).replace('commit-', ''))),
      );
      commits.add(commit);
    }
    expect(commits.size).toBe(1);
  });
}, 120_000);

test('a prefix that is listed and fetched twice at once gives each object one document with one version', async () => {
  await eachSeed(async (seed) => {
    const played = await play(seed, { type: 's3', bucket: 'library', prefix: '' });
    await expectAgreement(played);
    const { flow, jobId } = played;
    expect(await flow.ledger.getJob(tenant, jobId)).toMatchObject({ state: 'succeeded' });
    expect(await flow.ledger.children(tenant, jobId)).toHaveLength(paths.length);
    for (const path of paths) {
      const document = await flow.ledger.getDocument(tenant, `source:${path}`);
      expect(document?.versions).toMatchObject([{ state: 'active' }]);
      expect(await readText(flow.deps, tenant, `source:${path}`)).toContain(`The text of ${path}`);
    }
  });
}, 120_000);

test('a page that is fetched twice at once is what was indexed of it, whatever it said the other time', async () => {
  await eachSeed(async (seed) => {
    const played = await play(seed, { type: 'url', url: 'https://example.org/page' });
    await expectAgreement(played);
    const { flow, jobId } = played;
    expect(await flow.ledger.getJob(tenant, jobId)).toMatchObject({ state: 'succeeded' });
    const text = await readText(flow.deps, tenant, 'source');
    const originals = [...flow.blobs.blobs].filter(([key]) => /\/original[^/]*$/.test(key));
    const document = await flow.ledger.getDocument(tenant, 'source');
    expect(document?.versions).toHaveLength(1);
    expect(document?.versions[0]?.bytes).toBe(text.length);
    expect(originals.map(([, bytes]) => new TextDecoder().decode(bytes))).toContain(text);
    // One that a killed worker left is kept with the version; those of others are not.
    expect(originals.length).toBeLessThanOrEqual(seed % 3 === 0 ? 1 : 2);
  });
}, 120_000);

test('a file that is deleted while its repository is fetched twice at once does not fail the repository', async () => {
  await eachSeed(async (seed) => {
    const played = await play(seed, { type: 'git', url: 'https://example.org/library.git' }, async (deps) => {
      for (let tries = 0; tries < 12; tries += 1) {
        await removeDocument(deps, tenant, 'source:a.md').catch((error: unknown) => {
          if (!(error instanceof MemoryError) || error.code !== 'not_found') throw error;
        });
      }
    });
    const { flow, jobId } = played;
    const job = await flow.ledger.getJob(tenant, jobId);
    expect(['succeeded', 'partial']).toContain(job?.state);
    for (const path of paths.slice(1)) {
      const document = await flow.ledger.getDocument(tenant, `source:${path}`);
      expect(document?.versions).toMatchObject([{ state: 'active' }]);
    }
    expect((await flow.ledger.getDocument(tenant, 'source:a.md'))?.versions.length ?? 0).toBeLessThanOrEqual(1);
  });
}, 120_000);
