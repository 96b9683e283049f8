import { describe, expect, test } from '@jest/globals';
import type { Scope } from '../contracts/model/ids.ts';
import { newJobId } from '../ingest/new-id.ts';
import type { JobRecord, Ledger } from '../ports/ledger.ts';
import {
  accept,
  acceptActive,
  collect,
  freshScope,
  jobOf,
  never,
  nextTime,
  to,
  versionOf,
  walk,
} from './ledger-fixtures.ts';

/** See `ledger-suite.ts`. */
export function ledgerJobsSuite(name: string, create: () => Ledger): void {
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
      await ledger.createBatch(scope.tenant, 'batch_1', [job.id], 1);
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

    test('a change of a record that is out of date is made to the one that stands', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      const old = await ledger.getJob(scope.tenant, job.id);
      const running = await ledger.updateJob(scope.tenant, job.id, to('running'), old);
      const seen: string[] = [];
      const note = (current: JobRecord) => {
        seen.push(current.state);
        return { ...current, progress: 0.5 };
      };
      const after = await ledger.updateJob(scope.tenant, job.id, note, old);
      expect(after).toEqual({ ...running, progress: 0.5 });
      expect(seen.at(-1)).toBe('running');
      expect(await ledger.getJob(scope.tenant, job.id)).toEqual(after);
      // What was given back is up to date again.
      expect(await ledger.updateJob(scope.tenant, job.id, to('succeeded'), after)).toMatchObject({ progress: 0.5 });
    });

    test('that there is nothing to change is not decided on a record that is out of date', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      const old = await ledger.getJob(scope.tenant, job.id);
      await ledger.updateJob(scope.tenant, job.id, to('running'));
      const endIfRunning = (current: JobRecord) =>
        current.state === 'running' ? { ...current, state: 'failed' as const } : undefined;
      expect(await ledger.updateJob(scope.tenant, job.id, endIfRunning, old)).toMatchObject({ state: 'failed' });
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
      await ledger.createBatch(scope.tenant, 'batch_1', ['job_2', 'job_1'], 1);
      expect(await ledger.getBatch(scope.tenant, 'batch_1')).toEqual(['job_2', 'job_1']);
      expect(await ledger.getBatch(scope.tenant, 'batch_2')).toBeUndefined();
    });
  });
}

const openIn = async (ledger: Ledger, scope: Scope) =>
  (await ledger.openJobs(100_000)).filter((job) => job.tenant === scope.tenant).map((job) => job.jobId);
