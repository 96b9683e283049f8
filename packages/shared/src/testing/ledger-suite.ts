import { describe, expect, test } from '@jest/globals';
import type { Scope } from '../contracts/model/ids.ts';
import type { JobState } from '../contracts/model/job.ts';
import { newJobId } from '../ingest/new-id.ts';
import type { JobEvent, JobRecord, Ledger, VersionRecord } from '../ports/ledger.ts';

const model = 'a-model';
let clockMs = Date.parse('2026-01-01T00:00:00.000Z');
/** Later each time, so that order is beyond doubt. */
function nextTime(): string {
  clockMs += 1000;
  return new Date(clockMs).toISOString();
}
let names = 0;
/** Nobody else's: suites share a server. */
const freshScope = (): Scope => ({ tenant: `tenant-${Date.now()}-${names++}`, namespace: 'default' });

function jobOf(scope: Scope, documentId: string, version: number, changes: Partial<JobRecord> = {}): JobRecord {
  const at = nextTime();
  return {
    id: newJobId(),
    tenant: scope.tenant,
    namespace: scope.namespace,
    documentId,
    version,
    run: 0,
    state: 'queued',
    stage: 'parse',
    progress: 0,
    stages: [{ name: 'parse', state: 'pending', attempts: 0, done: 0, total: 0 }],
    warnings: [],
    priority: 'normal',
    sourceType: 'upload',
    createdAt: at,
    updatedAt: at,
    ...changes,
  };
}

const versionOf = (job: JobRecord): VersionRecord => ({
  version: job.version,
  state: 'pending',
  jobId: job.id,
  sha256: 'abc',
  bytes: 3,
  chunks: 0,
  createdAt: job.createdAt,
  mediaType: 'text/plain',
});

const to =
  (state: JobState, changes: Partial<JobRecord> = {}) =>
  (job: JobRecord): JobRecord => ({
    ...job,
    state,
    ...changes,
  });

/** Reserves and records a version, as an accept does. */
async function accept(ledger: Ledger, scope: Scope, documentId: string, title = `Title of ${documentId}`) {
  const { version } = await ledger.reserveVersion(scope, documentId, model);
  const job = jobOf(scope, documentId, version);
  await ledger.createJob(job, versionOf(job), { title, metadata: {} });
  return job;
}

async function acceptActive(ledger: Ledger, scope: Scope, documentId: string) {
  const job = await accept(ledger, scope, documentId);
  await ledger.describeVersion(scope, documentId, job.version, { chunks: 7 });
  await ledger.activateVersion(scope, documentId, job.version, nextTime());
  return job;
}

async function collect(events: AsyncIterable<JobEvent>): Promise<JobEvent[]> {
  const all: JobEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** Reads page after page until there is none. */
async function walk<Item>(
  read: (cursor: string | undefined) => Promise<{ items: readonly Item[]; nextCursor?: string | undefined }>,
) {
  const pages: Item[][] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    pages.push([...page.items]);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return pages;
}

const never = new AbortController().signal;

/** What every ledger does, whatever it is made of. `create` gives the one under test; the caller closes it. */
export function ledgerSuite(name: string, create: () => Ledger): void {
  describe(`${name}: jobs`, () => {
    test('a job that was recorded is read back as it was, and recording it again changes nothing', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      await ledger.updateJob(scope.tenant, job.id, to('running'));
      await ledger.createJob(job, versionOf(job), { title: 'Another', metadata: {} });
      expect(await ledger.getJob(scope.tenant, job.id)).toEqual({ ...job, state: 'running' });
      expect((await ledger.getDocument(scope.tenant, 'a'))?.title).toBe('Title of a');
      expect((await ledger.getDocument(scope.tenant, 'a'))?.versions).toHaveLength(1);
    });

    test('a tenant does not see the jobs, documents and batches of another', async () => {
      const ledger = create();
      const scope = freshScope();
      const other = freshScope();
      const job = await acceptActive(ledger, scope, 'a');
      await ledger.createBatch(scope.tenant, 'batch_1', [job.id]);
      expect(await ledger.getJob(other.tenant, job.id)).toBeUndefined();
      expect(await ledger.getJobs(other.tenant, [job.id])).toEqual([]);
      expect((await ledger.listJobs(other.tenant, { limit: 10 })).items).toEqual([]);
      expect(await ledger.getDocument(other.tenant, 'a')).toBeUndefined();
      expect((await ledger.listDocuments(other.tenant, { limit: 10 })).items).toEqual([]);
      expect((await ledger.documentChanges(other, undefined)).rows).toEqual([]);
      expect(await ledger.getBatch(other.tenant, 'batch_1')).toBeUndefined();
      expect(await ledger.removeDocument(other.tenant, 'a')).toBeUndefined();
      expect(await ledger.namespaces(other.tenant)).toEqual([]);
    });

    test('a step that the state machine does not know is refused and leaves the job as it was', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      await ledger.updateJob(scope.tenant, job.id, to('running'));
      await ledger.updateJob(scope.tenant, job.id, to('succeeded'));
      const refused = ledger.updateJob(scope.tenant, job.id, to('running'));
      await expect(refused).rejects.toMatchObject({ code: 'conflict' });
      expect((await ledger.getJob(scope.tenant, job.id))?.state).toBe('succeeded');
    });

    test('a retry is a new run, and must count as one', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      await ledger.updateJob(scope.tenant, job.id, to('failed'));
      await expect(ledger.updateJob(scope.tenant, job.id, to('queued'))).rejects.toMatchObject({ code: 'conflict' });
      const again = await ledger.updateJob(scope.tenant, job.id, to('queued', { run: 1 }));
      expect(again).toMatchObject({ state: 'queued', run: 1 });
      expect(await openIn(ledger, scope)).toEqual([job.id]);
    });

    test('a change that returns nothing leaves the job and makes no event', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      expect(await ledger.updateJob(scope.tenant, job.id, () => undefined)).toEqual(job);
      await ledger.updateJob(scope.tenant, job.id, to('cancelled'));
      const events = await collect(ledger.watchJob(scope.tenant, job.id, undefined, never));
      expect(events.map((event) => event.job.state)).toEqual(['queued', 'cancelled']);
    });

    test('updating a job that is not there answers undefined', async () => {
      expect(await create().updateJob(freshScope().tenant, newJobId(), to('running'))).toBeUndefined();
    });

    test('of fifty updates at once none is lost', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      const warn = (code: string) => (current: JobRecord) => ({
        ...current,
        warnings: [...current.warnings, { code, message: '' }],
      });
      const codes = Array.from({ length: 50 }, (_, index) => `w${index}`);
      await Promise.all(codes.map((code) => ledger.updateJob(scope.tenant, job.id, warn(code))));
      const after = await ledger.getJob(scope.tenant, job.id);
      expect(after?.warnings.map((warning) => warning.code).sort()).toEqual([...codes].sort());
    });

    test('of two that end a job at once, one is refused', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      const ends = await Promise.allSettled([
        ledger.updateJob(scope.tenant, job.id, to('failed')),
        ledger.updateJob(scope.tenant, job.id, to('cancelled')),
      ]);
      expect(ends.map((end) => end.status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    test('lists of jobs are newest first, in pages that neither repeat nor leave out', async () => {
      const ledger = create();
      const scope = freshScope();
      const ids: string[] = [];
      for (let index = 0; index < 7; index += 1) ids.unshift((await accept(ledger, scope, `d${index}`)).id);
      const pages = await walk((cursor) => ledger.listJobs(scope.tenant, { limit: 3, cursor }));
      expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
      expect(pages.flat().map((job) => job.id)).toEqual(ids);
    });

    test('jobs of the same moment are all listed', async () => {
      const ledger = create();
      const scope = freshScope();
      const createdAt = nextTime();
      const jobs = Array.from({ length: 5 }, (_, index) => jobOf(scope, `d${index}`, 1, { createdAt }));
      for (const job of jobs) await ledger.createJob(job, versionOf(job), { title: '', metadata: {} });
      const pages = await walk((cursor) => ledger.listJobs(scope.tenant, { limit: 2, cursor }));
      expect(
        pages
          .flat()
          .map((job) => job.id)
          .sort(),
      ).toEqual(jobs.map((job) => job.id).sort());
    });

    test('lists are narrowed by state, document and namespace, each alone and together', async () => {
      const ledger = create();
      const scope = freshScope();
      const elsewhere = { ...scope, namespace: 'elsewhere' };
      const first = await accept(ledger, scope, 'a');
      const second = await accept(ledger, scope, 'a');
      const third = await accept(ledger, elsewhere, 'b');
      await ledger.updateJob(scope.tenant, first.id, to('failed'));
      const list = async (query: object) =>
        (await walk((cursor) => ledger.listJobs(scope.tenant, { ...query, limit: 1, cursor })))
          .flat()
          .map((job) => job.id);
      expect(await list({ state: 'failed' })).toEqual([first.id]);
      expect(await list({ state: 'queued' })).toEqual([third.id, second.id]);
      expect(await list({ documentId: 'a' })).toEqual([second.id, first.id]);
      expect(await list({ namespace: 'elsewhere' })).toEqual([third.id]);
      expect(await list({ documentId: 'a', state: 'queued' })).toEqual([second.id]);
      expect(await list({ state: 'queued', namespace: scope.namespace })).toEqual([second.id]);
    });

    test('jobs are read by ids in the order asked for, without those that are not there', async () => {
      const ledger = create();
      const scope = freshScope();
      const [first, second] = [await accept(ledger, scope, 'a'), await accept(ledger, scope, 'b')];
      const jobs = await ledger.getJobs(scope.tenant, [second.id, newJobId(), first.id]);
      expect(jobs.map((job) => job.id)).toEqual([second.id, first.id]);
      expect(await ledger.getJobs(scope.tenant, [])).toEqual([]);
    });

    test('the jobs that have not ended are known across tenants, oldest first', async () => {
      const ledger = create();
      const [one, two] = [freshScope(), { tenant: `odd|name ${freshScope().tenant}`, namespace: 'default' }];
      const first = await accept(ledger, one, 'a');
      const ended = await accept(ledger, one, 'b');
      const last = await accept(ledger, two, 'c');
      await ledger.updateJob(one.tenant, ended.id, to('failed'));
      const open = (await ledger.openJobs(100_000)).filter((job) => [one.tenant, two.tenant].includes(job.tenant));
      expect(open).toEqual([
        { tenant: one.tenant, jobId: first.id },
        { tenant: two.tenant, jobId: last.id },
      ]);
    });

    test('a job of many documents has children, a batch has jobs', async () => {
      const ledger = create();
      const scope = freshScope();
      const parent = jobOf(scope, 'repository', 1);
      await ledger.createParentJob(parent);
      await ledger.createParentJob(parent);
      expect(await ledger.getDocument(scope.tenant, 'repository')).toBeUndefined();
      for (const child of ['job_1', 'job_2', 'job_1']) await ledger.addChild(scope.tenant, parent.id, child);
      expect([...(await ledger.children(scope.tenant, parent.id))].sort()).toEqual(['job_1', 'job_2']);
      expect(await ledger.children(scope.tenant, newJobId())).toEqual([]);
      await ledger.createBatch(scope.tenant, 'batch_1', ['job_2', 'job_1']);
      expect(await ledger.getBatch(scope.tenant, 'batch_1')).toEqual(['job_2', 'job_1']);
      expect(await ledger.getBatch(scope.tenant, 'batch_2')).toBeUndefined();
    });
  });

  describe(`${name}: watching a job`, () => {
    test('a watcher sees what was and what comes, in order, and ends with the job', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      await ledger.updateJob(scope.tenant, job.id, to('running'));
      const states: string[] = [];
      for await (const event of ledger.watchJob(scope.tenant, job.id, undefined, never)) {
        states.push(`${event.job.state} ${event.job.progress}`);
        // The next change is made only once the one before was seen: the watcher is live by then.
        if (states.length === 2) await ledger.updateJob(scope.tenant, job.id, to('running', { progress: 0.5 }));
        if (states.length === 3) await ledger.updateJob(scope.tenant, job.id, to('succeeded', { progress: 1 }));
      }
      expect(states).toEqual(['queued 0', 'running 0', 'running 0.5', 'succeeded 1']);
    });

    test('a watcher that sleeps wakes with the change', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      const watch = ledger.watchJob(scope.tenant, job.id, undefined, never)[Symbol.asyncIterator]();
      await watch.next();
      const waiting = watch.next();
      await ledger.updateJob(scope.tenant, job.id, to('failed'));
      expect((await waiting).value).toMatchObject({ job: { state: 'failed' } });
      expect(await watch.next()).toMatchObject({ done: true });
    });

    test('a watcher goes on after the event that it names', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      for (const progress of [0.1, 0.2, 0.3]) await ledger.updateJob(scope.tenant, job.id, to('running', { progress }));
      await ledger.updateJob(scope.tenant, job.id, to('partial', { progress: 1 }));
      const all = await collect(ledger.watchJob(scope.tenant, job.id, undefined, never));
      expect(all.map((event) => event.job.progress)).toEqual([0, 0.1, 0.2, 0.3, 1]);
      for (const [at, event] of all.entries()) {
        const rest = await collect(ledger.watchJob(scope.tenant, job.id, event.id, never));
        expect(rest).toEqual(all.slice(at + 1));
      }
    });

    test('after a retry the watcher goes on through the end of the first run', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      await ledger.updateJob(scope.tenant, job.id, to('failed'));
      await ledger.updateJob(scope.tenant, job.id, to('queued', { run: 1 }));
      await ledger.updateJob(scope.tenant, job.id, to('cancelled'));
      const events = await collect(ledger.watchJob(scope.tenant, job.id, undefined, never));
      expect(events.map((event) => event.job.state)).toEqual(['queued', 'failed', 'queued', 'cancelled']);
    });

    test('many watch one job, and the signal ends each by itself', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      const leaving = new AbortController();
      const watchers = [never, never, leaving.signal].map((signal) =>
        collect(ledger.watchJob(scope.tenant, job.id, undefined, signal)),
      );
      leaving.abort();
      const left = await watchers[2];
      expect(left?.length).toBeLessThanOrEqual(1);
      await ledger.updateJob(scope.tenant, job.id, to('cancelled'));
      for (const events of await Promise.all(watchers.slice(0, 2))) {
        expect(events.map((event) => event.job.state)).toEqual(['queued', 'cancelled']);
      }
    });

    test('a job that is not there cannot be watched', async () => {
      const watch = collect(create().watchJob(freshScope().tenant, newJobId(), undefined, never));
      await expect(watch).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  describe(`${name}: documents and versions`, () => {
    test('versions are given out once each, also when asked for at once', async () => {
      const ledger = create();
      const scope = freshScope();
      const reserved = await Promise.all(Array.from({ length: 20 }, () => ledger.reserveVersion(scope, 'a', model)));
      const versions = reserved.map((one) => one.version).sort((a, b) => a - b);
      expect(versions).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      expect((await ledger.reserveVersion(scope, 'a', model, 50)).version).toBe(50);
      expect((await ledger.reserveVersion(scope, 'a', model, 3)).version).toBe(51);
    });

    test('a namespace keeps the model of its first document', async () => {
      const ledger = create();
      const scope = freshScope();
      expect((await ledger.documentChanges(scope, undefined)).embeddingModel).toBeUndefined();
      await ledger.reserveVersion(scope, 'a', 'first');
      expect((await ledger.reserveVersion(scope, 'b', 'second')).embeddingModel).toBe('first');
      expect((await ledger.documentChanges(scope, undefined)).embeddingModel).toBe('first');
      const other = { ...scope, namespace: 'other' };
      expect((await ledger.reserveVersion(other, 'c', 'second')).embeddingModel).toBe('second');
      const namespaces = [...(await ledger.namespaces(scope.tenant))].sort((a, b) =>
        a.namespace < b.namespace ? -1 : 1,
      );
      expect(namespaces).toEqual([
        { namespace: 'default', embeddingModel: 'first' },
        { namespace: 'other', embeddingModel: 'second' },
      ]);
    });

    test('a document cannot be in two namespaces of a tenant, until it is removed', async () => {
      const ledger = create();
      const scope = freshScope();
      const other = { ...scope, namespace: 'other' };
      await accept(ledger, scope, 'a');
      await expect(ledger.reserveVersion(other, 'a', model)).rejects.toMatchObject({ code: 'conflict' });
      await ledger.removeDocument(scope.tenant, 'a');
      expect((await ledger.reserveVersion(other, 'a', model)).version).toBe(2);
    });

    test('an older version never becomes active after a newer one', async () => {
      const ledger = create();
      const scope = freshScope();
      await accept(ledger, scope, 'a', 'First');
      await accept(ledger, scope, 'a', 'Second');
      expect(await ledger.getDocument(scope.tenant, 'a')).toMatchObject({ activeVersion: 0, title: 'Second' });
      expect(await ledger.activateVersion(scope, 'a', 2, nextTime())).toEqual({ outcome: 'activated', previous: 0 });
      expect(await ledger.activateVersion(scope, 'a', 1, nextTime())).toEqual({ outcome: 'superseded', previous: 2 });
      expect(await ledger.getDocument(scope.tenant, 'a')).toMatchObject({ activeVersion: 2, latestVersion: 2 });
    });

    test('versions that race for activation end with the newest active', async () => {
      const ledger = create();
      const scope = freshScope();
      for (let version = 1; version <= 8; version += 1) await accept(ledger, scope, 'a');
      const order = [3, 8, 1, 5, 2, 7, 4, 6];
      await Promise.all(order.map((version) => ledger.activateVersion(scope, 'a', version, nextTime())));
      expect((await ledger.getDocument(scope.tenant, 'a'))?.activeVersion).toBe(8);
      expect((await ledger.documentChanges(scope, undefined)).rows).toMatchObject([{ activeVersion: 8 }]);
    });

    test('activating again gives the same answer and changes nothing', async () => {
      const ledger = create();
      const scope = freshScope();
      await acceptActive(ledger, scope, 'a');
      await accept(ledger, scope, 'a');
      const first = await ledger.activateVersion(scope, 'a', 2, nextTime());
      const { cursor } = await ledger.documentChanges(scope, undefined);
      expect(await ledger.activateVersion(scope, 'a', 2, nextTime())).toEqual(first);
      expect(first).toEqual({ outcome: 'activated', previous: 1 });
      expect((await ledger.documentChanges(scope, cursor)).rows).toEqual([]);
    });

    test('title and metadata of a new version take effect with its text, unless patched in between', async () => {
      const ledger = create();
      const scope = freshScope();
      const add = async (title: string, metadata: Record<string, string>) => {
        const { version } = await ledger.reserveVersion(scope, 'a', model);
        const job = jobOf(scope, 'a', version);
        await ledger.createJob(job, versionOf(job), { title, metadata });
      };
      const shown = async () => {
        const document = await ledger.getDocument(scope.tenant, 'a');
        return [document?.title, document?.metadata];
      };
      await add('One', { n: '1' });
      await ledger.activateVersion(scope, 'a', 1, nextTime());
      await add('Two', { n: '2' });
      expect(await shown()).toEqual(['One', { n: '1' }]);
      await ledger.patchDocument(scope.tenant, 'a', { title: 'Patched' }, nextTime());
      expect(await shown()).toEqual(['Patched', { n: '1' }]);
      await ledger.activateVersion(scope, 'a', 2, nextTime());
      expect(await shown()).toEqual(['Patched', { n: '2' }]);
    });

    test('what a step finds out about a version is kept with it', async () => {
      const ledger = create();
      const scope = freshScope();
      await accept(ledger, scope, 'a');
      const facts = { mediaType: 'application/pdf', pages: 3, chunks: 9, bytes: 1234, sha256: 'def' };
      await ledger.describeVersion(scope, 'a', 1, { ...facts, title: 'Found' });
      await ledger.describeVersion(scope, 'a', 2, { title: 'No such version' });
      await ledger.describeVersion(scope, 'nothing', 1, { title: 'No such document' });
      const document = await ledger.getDocument(scope.tenant, 'a');
      expect(document).toMatchObject({ title: 'Found', mediaType: 'application/pdf' });
      expect(document?.versions[0]).toMatchObject(facts);
      expect(await ledger.getDocument(scope.tenant, 'nothing')).toBeUndefined();
    });

    test('a failed version leaves the active one; a retry of it can still succeed', async () => {
      const ledger = create();
      const scope = freshScope();
      const error = { code: 'corrupt_document', message: '' } as const;
      await acceptActive(ledger, scope, 'a');
      await accept(ledger, scope, 'a');
      await ledger.failVersion(scope, 'a', 2, error, nextTime());
      await ledger.failVersion(scope, 'a', 1, error, nextTime());
      const document = await ledger.getDocument(scope.tenant, 'a');
      expect(document?.activeVersion).toBe(1);
      expect(document?.versions.map((version) => version.state)).toEqual(['failed', 'active']);
      const { outcome, previous } = await ledger.activateVersion(scope, 'a', 2, nextTime());
      expect([outcome, previous]).toEqual(['activated', 1]);
    });

    test('a document that was removed during its ingest does not come back', async () => {
      const ledger = create();
      const scope = freshScope();
      const first = await acceptActive(ledger, scope, 'a');
      await ledger.updateJob(scope.tenant, first.id, to('running'));
      await ledger.updateJob(scope.tenant, first.id, to('succeeded'));
      const second = await accept(ledger, scope, 'a');
      const removed = await ledger.removeDocument(scope.tenant, 'a');
      expect(removed?.document).toMatchObject({ documentId: 'a', activeVersion: 1, latestVersion: 2 });
      expect(removed?.openJobIds).toEqual([second.id]);
      expect(await ledger.getDocument(scope.tenant, 'a')).toBeUndefined();
      expect((await ledger.listDocuments(scope.tenant, { limit: 10 })).items).toEqual([]);
      expect((await ledger.listDocuments(scope.tenant, { namespace: 'default', limit: 10 })).items).toEqual([]);
      expect(await ledger.activateVersion(scope, 'a', 2, nextTime())).toEqual({ outcome: 'gone', previous: 0 });
      expect(await ledger.removeDocument(scope.tenant, 'a')).toBeUndefined();
      // Ingested again it is new, but its version numbers go on, and the old versions stay gone.
      expect((await accept(ledger, scope, 'a')).version).toBe(3);
      expect((await ledger.activateVersion(scope, 'a', 2, nextTime())).outcome).toBe('gone');
      expect((await ledger.activateVersion(scope, 'a', 3, nextTime())).outcome).toBe('activated');
    });

    test('a removal and an activation at once never leave a removed document searchable', async () => {
      const ledger = create();
      for (let round = 0; round < 10; round += 1) {
        const scope = freshScope();
        await accept(ledger, scope, 'a');
        await Promise.all([
          ledger.activateVersion(scope, 'a', 1, nextTime()),
          ledger.removeDocument(scope.tenant, 'a'),
          ledger.patchDocument(scope.tenant, 'a', { title: 'x' }, nextTime()),
        ]);
        expect(await ledger.getDocument(scope.tenant, 'a')).toBeUndefined();
        expect((await ledger.documentChanges(scope, undefined)).rows).toEqual([]);
      }
    });

    test('lists of documents are newest first, paged, and narrowed by namespace and state', async () => {
      const ledger = create();
      const scope = freshScope();
      const other = { ...scope, namespace: 'other' };
      await acceptActive(ledger, scope, 'active');
      await accept(ledger, other, 'pending');
      await accept(ledger, scope, 'failed');
      await ledger.failVersion(scope, 'failed', 1, { code: 'internal', message: '' }, nextTime());
      const list = async (query: object) =>
        (await walk((cursor) => ledger.listDocuments(scope.tenant, { ...query, limit: 1, cursor })))
          .flat()
          .map((document) => document.documentId);
      expect(await list({})).toEqual(['failed', 'pending', 'active']);
      expect(await list({ namespace: 'default' })).toEqual(['failed', 'active']);
      expect(await list({ state: 'pending' })).toEqual(['pending']);
      expect(await list({ state: 'active', namespace: 'default' })).toEqual(['active']);
    });
  });

  describe(`${name}: what changed in a namespace`, () => {
    test('without a cursor all active documents come, with one only those that changed', async () => {
      const ledger = create();
      const scope = freshScope();
      for (const id of ['a', 'b', 'c']) await acceptActive(ledger, scope, id);
      await accept(ledger, scope, 'not-yet-active');
      const all = await ledger.documentChanges(scope, undefined);
      expect(all.reset).toBe(true);
      expect(all.rows.map((row) => row.documentId).sort()).toEqual(['a', 'b', 'c']);
      expect(all.rows[0]).toMatchObject({ activeVersion: 1, chunks: 7, mediaType: 'text/plain' });
      const none = await ledger.documentChanges(scope, all.cursor);
      expect(none).toEqual({ reset: false, rows: [], cursor: all.cursor, embeddingModel: model });

      await ledger.patchDocument(scope.tenant, 'b', { metadata: { k: ['v'] } }, nextTime());
      await ledger.removeDocument(scope.tenant, 'c');
      const some = await ledger.documentChanges(scope, all.cursor);
      expect(some.reset).toBe(false);
      expect([...some.rows].sort((x, y) => (x.documentId < y.documentId ? -1 : 1))).toMatchObject([
        { documentId: 'b', activeVersion: 1, metadata: { k: ['v'] } },
        { documentId: 'c', activeVersion: 0 },
      ]);
      expect(some.cursor).not.toBe(all.cursor);
    });

    test('the cursor stands still while nothing that a search sees changes', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await acceptActive(ledger, scope, 'a');
      const { cursor } = await ledger.documentChanges(scope, undefined);
      await accept(ledger, scope, 'a');
      await ledger.updateJob(scope.tenant, job.id, to('running'));
      await ledger.describeVersion(scope, 'a', 2, { chunks: 4 });
      expect((await ledger.documentChanges(scope, cursor)).cursor).toBe(cursor);
      await ledger.activateVersion(scope, 'a', 2, nextTime());
      expect((await ledger.documentChanges(scope, cursor)).rows).toMatchObject([{ activeVersion: 2, chunks: 4 }]);
    });

    test('a document that was removed and came back is there once', async () => {
      const ledger = create();
      const scope = freshScope();
      await acceptActive(ledger, scope, 'a');
      const { cursor } = await ledger.documentChanges(scope, undefined);
      await ledger.removeDocument(scope.tenant, 'a');
      await acceptActive(ledger, scope, 'a');
      expect((await ledger.documentChanges(scope, cursor)).rows).toMatchObject([{ documentId: 'a', activeVersion: 2 }]);
    });

    test('a cursor that this ledger never gave means a fresh start', async () => {
      const ledger = create();
      const scope = freshScope();
      await acceptActive(ledger, scope, 'a');
      for (const cursor of ['', 'nonsense', 'another-epoch.7']) {
        const changes = await ledger.documentChanges(scope, cursor);
        expect([changes.reset, changes.rows.length]).toEqual([true, 1]);
      }
    });
  });
}

const openIn = async (ledger: Ledger, scope: Scope) =>
  (await ledger.openJobs(100_000)).filter((job) => job.tenant === scope.tenant).map((job) => job.jobId);
