import { describe, expect, test } from '@jest/globals';
import { addVersion } from '../ports/document-transitions.ts';
import type { Ledger } from '../ports/ledger.ts';
import { accept, acceptActive, freshScope, jobOf, model, versionOf } from './ledger-fixtures.ts';

/** See `ledger-suite.ts`. */
export function ledgerRestoreSuite(name: string, create: () => Ledger): void {
  describe(`${name}: what is restored from the blob store`, () => {
    test('a job is restored in whatever state, once, and found by every list', async () => {
      const ledger = create();
      const scope = freshScope();
      const ended = jobOf(scope, 'a', 1, { state: 'partial' });
      expect(await ledger.restoreJob(ended)).toBe(true);
      expect(await ledger.restoreJob({ ...ended, state: 'failed' })).toBe(false);
      expect(await ledger.getJob(scope.tenant, ended.id)).toEqual(ended);
      const open = jobOf(scope, 'b', 1);
      await ledger.restoreJob(open);
      const ids = async (query: { state?: 'partial'; documentId?: string }) =>
        (await ledger.listJobs(scope.tenant, { limit: 10, ...query })).items.map((job) => job.id);
      expect(await ids({})).toEqual([open.id, ended.id]);
      expect(await ids({ state: 'partial' })).toEqual([ended.id]);
      expect(await ids({ documentId: 'b' })).toEqual([open.id]);
      const openIds = (await ledger.openJobs(10_000)).map((job) => job.jobId);
      expect([openIds.includes(open.id), openIds.includes(ended.id)]).toEqual([true, false]);
      await ledger.updateJob(scope.tenant, open.id, (job) => ({ ...job, state: 'running' }));
      expect(await ledger.getJob(scope.tenant, open.id)).toMatchObject({ state: 'running' });
    });

    test('a document that is revised has its place everywhere, and keeps its namespace', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = jobOf(scope, 'a', 3);
      const revised = await ledger.reviseDocument(scope, 'a', model, (current) => {
        const added = addVersion(current, job, versionOf(job), { title: 'T', metadata: { n: 1 } });
        return added && { ...added, activeVersion: 3, versions: [{ ...versionOf(job), state: 'active', chunks: 2 }] };
      });
      expect(revised).toBe(true);
      expect(await ledger.reviseDocument(scope, 'a', model, () => undefined)).toBe(false);
      expect(await ledger.getDocument(scope.tenant, 'a')).toMatchObject({ title: 'T', activeVersion: 3 });
      expect((await ledger.listDocuments(scope.tenant, { limit: 10 })).items).toHaveLength(1);
      expect((await ledger.documentChanges(scope, undefined)).rows).toMatchObject([{ documentId: 'a', chunks: 2 }]);
      expect(await ledger.namespaces(scope.tenant)).toEqual([{ namespace: scope.namespace, embeddingModel: model }]);
      expect(await ledger.tenants()).toContain(scope.tenant);
      expect((await ledger.reserveVersion(scope, 'a', 'other')).version).toBe(4);
      const elsewhere = { ...scope, namespace: 'other' };
      await expect(ledger.reserveVersion(elsewhere, 'a', model)).rejects.toMatchObject({ code: 'conflict' });
      await expect(
        ledger.reviseDocument(elsewhere, 'a', model, (current) =>
          addVersion(current, { ...job, ...elsewhere }, versionOf(job), { title: 'T', metadata: {} }),
        ),
      ).rejects.toMatchObject({ code: 'conflict' });
    });

    test('a revision of a document is a change for whoever follows the namespace', async () => {
      const ledger = create();
      const scope = freshScope();
      await acceptActive(ledger, scope, 'a');
      const { cursor } = await ledger.documentChanges(scope, undefined);
      await ledger.reviseDocument(scope, 'a', model, (current) => current && { ...current, title: 'Other' });
      const changes = await ledger.documentChanges(scope, cursor);
      expect(changes).toMatchObject({ reset: false, rows: [{ documentId: 'a', title: 'Other' }] });
    });

    test('what was never accepted is taken out as if it had not been written', async () => {
      const ledger = create();
      const scope = freshScope();
      const first = await accept(ledger, scope, 'a');
      const second = await accept(ledger, scope, 'a', 'Second');
      expect(await ledger.withdrawVersion(scope, 'a', second.version, second.id)).toBe(true);
      expect(await ledger.withdrawVersion(scope, 'a', second.version, second.id)).toBe(false);
      const versions = async () => (await ledger.getDocument(scope.tenant, 'a'))?.versions.map((one) => one.jobId);
      expect(await versions()).toEqual([first.id]);
      expect(await ledger.getJob(scope.tenant, second.id)).toBeUndefined();
      expect((await ledger.listJobs(scope.tenant, { limit: 10 })).items.map((job) => job.id)).toEqual([first.id]);
      expect((await ledger.openJobs(10_000)).map((job) => job.jobId)).not.toContain(second.id);
      // Another job's version of that number is not meant.
      expect(await ledger.withdrawVersion(scope, 'a', first.version, second.id)).toBe(false);
      expect(await ledger.withdrawVersion(scope, 'a', first.version, first.id)).toBe(true);
      expect(await ledger.getDocument(scope.tenant, 'a')).toBeUndefined();
      expect((await ledger.listDocuments(scope.tenant, { limit: 10 })).items).toEqual([]);
      expect((await ledger.reserveVersion({ ...scope, namespace: 'other' }, 'a', model)).version).toBe(3);
    });

    test('version numbers go on above those that were counted', async () => {
      const ledger = create();
      const scope = freshScope();
      await ledger.countVersion(scope.tenant, 'a', 7);
      await ledger.countVersion(scope.tenant, 'a', 5);
      expect((await ledger.reserveVersion(scope, 'a', model)).version).toBe(8);
    });

    test('whether the index is whole is told with the changes', async () => {
      const ledger = create();
      const scope = freshScope();
      await accept(ledger, scope, 'a');
      const incomplete = async () => (await ledger.documentChanges(scope, undefined)).indexIncomplete;
      expect(await incomplete()).toBe(false);
      await ledger.markIndex(scope, 'incomplete');
      expect(await incomplete()).toBe(true);
      await ledger.markIndex(scope, 'whole');
      expect(await incomplete()).toBe(false);
    });
  });
}
