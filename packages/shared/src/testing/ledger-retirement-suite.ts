import { describe, expect, test } from '@jest/globals';
import { newBatchId, newJobId } from '../ingest/new-id.ts';
import type { JobRecord, Ledger } from '../ports/ledger.ts';
import { accept, freshScope, jobOf, never, to, walk } from './ledger-fixtures.ts';

/** See `ledger-suite.ts`. */
export function ledgerRetirementSuite(name: string, create: () => Ledger): void {
  describe(`${name}: what is kept only to be asked for, and forgotten`, () => {
    const retiredOf = async (ledger: Ledger, tenant: string, untilMs: number) =>
      (await ledger.retired(untilMs, 10_000)).filter((one) => one.tenant === tenant);

    const known = async (ledger: Ledger, { tenant, id }: JobRecord) => {
      const job = await ledger.getJob(tenant, id);
      if (!job) throw new Error(`There is no job ${id}.`);
      return job;
    };

    test('what was retired is told in its order up to a time, and the latest time counts', async () => {
      const ledger = create();
      const { tenant } = { tenant: `odd|name ${freshScope().tenant}` };
      await ledger.retire(tenant, 'job', ['job_1', 'job_2'], 20);
      await ledger.createBatch(tenant, 'batch_1', ['job_1'], 10);
      await ledger.retire(tenant, 'job', ['job_2'], 40);
      await ledger.retire(tenant, 'job', ['job_2'], 30);
      await ledger.retire(tenant, 'job', [], 5);
      const batch = { kind: 'batch', tenant, id: 'batch_1' };
      const [one, two] = ['job_1', 'job_2'].map((id) => ({ kind: 'job', tenant, id }));
      expect(await retiredOf(ledger, tenant, 39)).toEqual([batch, one]);
      expect(await retiredOf(ledger, tenant, 40)).toEqual([batch, one, two]);
      expect(await ledger.retired(40, 1)).toHaveLength(1);
      for (const id of ['job_1', 'job_2']) expect(await ledger.forgetJob(tenant, id, undefined)).toBe(true);
      await ledger.forgetBatch(tenant, 'batch_1');
      expect(await retiredOf(ledger, tenant, 40)).toEqual([]);
    });

    test('a job that is forgotten is in no list and cannot be watched, and pages go on as if it had never been', async () => {
      const ledger = create();
      const scope = freshScope();
      const { tenant } = scope;
      const jobs: JobRecord[] = [];
      for (const documentId of ['a', 'b', 'c', 'd', 'e']) jobs.push(await accept(ledger, scope, documentId));
      for (const job of jobs) await ledger.updateJob(tenant, job.id, to('failed'));
      const [first, second, , fourth] = jobs as [JobRecord, JobRecord, JobRecord, JobRecord];
      await ledger.retire(tenant, 'job', [fourth.id, second.id], 1);
      const page = await ledger.listJobs(tenant, { limit: 2 });
      for (const job of [fourth, second]) {
        expect(await ledger.forgetJob(tenant, job.id, await known(ledger, job))).toBe(true);
        expect(await ledger.getJob(tenant, job.id)).toBeUndefined();
        const events = ledger.watchJob(tenant, job.id, undefined, never)[Symbol.asyncIterator]();
        await expect(events.next()).rejects.toMatchObject({ code: 'not_found' });
      }
      expect(await retiredOf(ledger, tenant, 1)).toEqual([]);
      // A cursor that is one of them still leads to what follows it.
      const rest = await ledger.listJobs(tenant, { limit: 2, cursor: page.nextCursor });
      expect(rest).toEqual({
        items: [expect.objectContaining({ documentId: 'c' }), expect.objectContaining({ id: first.id })],
      });
      const pages = await walk((cursor) => ledger.listJobs(tenant, { limit: 2, cursor }));
      expect(pages.map((items) => items.map((job) => job.documentId))).toEqual([['e', 'c'], ['a']]);
      for (const query of [{ state: 'failed' }, { namespace: scope.namespace }] as const) {
        const { items } = await ledger.listJobs(tenant, { limit: 10, ...query });
        expect(items.map((job) => job.documentId)).toEqual(['e', 'c', 'a']);
      }
      expect(await ledger.listJobs(tenant, { limit: 10, documentId: 'b' })).toEqual({ items: [] });
    });

    test('a job that has changed since it was read is not forgotten, nor one that was taken for absent', async () => {
      const ledger = create();
      const scope = freshScope();
      const { tenant } = scope;
      const job = await accept(ledger, scope, 'a');
      await ledger.updateJob(tenant, job.id, to('failed'));
      await ledger.retire(tenant, 'job', [job.id], 1);
      const read = await known(ledger, job);
      await ledger.updateJob(tenant, job.id, to('queued', { run: 1 }));
      expect(await ledger.forgetJob(tenant, job.id, read)).toBe(false);
      expect(await ledger.forgetJob(tenant, job.id, undefined)).toBe(false);
      expect(await ledger.forgetJob(tenant, job.id, { ...read })).toBe(false);
      expect(await ledger.getJob(tenant, job.id)).toMatchObject({ state: 'queued', run: 1 });
      expect(await retiredOf(ledger, tenant, 1)).toHaveLength(1);
    });

    test('a job that is forgotten is no child of its parent any more, and forgets its own', async () => {
      const ledger = create();
      const scope = freshScope();
      const { tenant } = scope;
      const parent = jobOf(scope, 'repository', 1, { state: 'succeeded' });
      const child = jobOf(scope, 'a', 1, { state: 'succeeded', parentJobId: parent.id });
      await ledger.createParentJob(parent);
      await ledger.restoreJob(child);
      const other = newJobId();
      for (const id of [child.id, other]) await ledger.addChild(tenant, parent.id, id);
      await ledger.forgetJob(tenant, child.id, await known(ledger, child));
      expect(await ledger.children(tenant, parent.id)).toEqual([other]);
      await ledger.forgetJob(tenant, parent.id, await known(ledger, parent));
      expect(await ledger.children(tenant, parent.id)).toEqual([]);
    });

    test('a batch that is forgotten leaves its jobs', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      const batchId = newBatchId();
      await ledger.createBatch(scope.tenant, batchId, [job.id], 1);
      await ledger.forgetBatch(scope.tenant, batchId);
      expect(await ledger.getBatch(scope.tenant, batchId)).toBeUndefined();
      expect(await ledger.getJob(scope.tenant, job.id)).toBeDefined();
    });
  });
}
