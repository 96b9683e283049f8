import { describe, expect, test } from '@jest/globals';
import type { Ledger } from '../ports/ledger.ts';
import { accept, acceptActive, freshScope, jobOf, model, nextTime, to, versionOf, walk } from './ledger-fixtures.ts';

/** See `ledger-suite.ts`. */
export function ledgerDocumentsSuite(name: string, create: () => Ledger): void {
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

    test('of versions that are accepted at once none is lost', async () => {
      const ledger = create();
      const scope = freshScope();
      await Promise.all(Array.from({ length: 12 }, () => accept(ledger, scope, 'a')));
      const document = await ledger.getDocument(scope.tenant, 'a');
      const descending = Array.from({ length: 12 }, (_, index) => 12 - index);
      expect(document?.versions.map((version) => version.version)).toEqual(descending);
      expect((await ledger.listDocuments(scope.tenant, { limit: 10 })).items).toHaveLength(1);
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
      expect(await ledger.activateVersion(scope, 'a', 2, nextTime())).toEqual({
        outcome: 'activated',
        previous: 0,
        title: 'Second',
      });
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
      expect(first).toEqual({ outcome: 'activated', previous: 1, title: 'Title of a' });
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
      await ledger.patchDocument(scope.tenant, 'a', { title: { value: 'Patched', upToVersion: 2 } }, nextTime());
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

    test('rows say which versions were active before, and since when each was', async () => {
      const ledger = create();
      const scope = freshScope();
      const at = (second: number) => `2026-03-01T00:00:0${second}.000Z`;
      const ms = (second: number) => Date.parse(at(second));
      for (const version of [1, 2, 3, 4]) {
        await accept(ledger, scope, 'a');
        if (version !== 3) await ledger.activateVersion(scope, 'a', version, at(version));
      }
      const row = async () => (await ledger.documentChanges(scope, undefined)).rows[0];
      const former = [2, 1].map((version) => [version, ms(version)]);
      expect(await row()).toMatchObject({ activeVersion: 4, activeFrom: ms(4), former });
      const activated = { outcome: 'activated', title: 'Title of a' };
      // Said again, whoever says it: the first time stands, and an older version stays replaced.
      expect(await ledger.activateVersion(scope, 'a', 4, at(9))).toEqual({ ...activated, previous: 2 });
      expect(await ledger.activateVersion(scope, 'a', 2, at(9))).toEqual({ outcome: 'replaced', previous: 1 });
      expect(await row()).toMatchObject({ activeVersion: 4, activeFrom: ms(4), former });
    });

    test('a version can be forgotten, but never the active one nor the latest', async () => {
      const ledger = create();
      const scope = freshScope();
      for (const version of [1, 2, 3]) {
        await accept(ledger, scope, 'a');
        if (version < 3) await ledger.activateVersion(scope, 'a', version, nextTime());
      }
      for (const version of [1, 2, 3, 9]) await ledger.forgetVersion(scope, 'a', version);
      await ledger.forgetVersion(scope, 'nothing', 1);
      const document = await ledger.getDocument(scope.tenant, 'a');
      expect(document?.versions.map(({ version }) => version)).toEqual([3, 2]);
      const { rows } = await ledger.documentChanges(scope, undefined);
      expect(rows[0]?.former).toBeUndefined();
      expect(await ledger.activateVersion(scope, 'a', 1, nextTime())).toEqual({ outcome: 'gone', previous: 0 });
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
          ledger.patchDocument(scope.tenant, 'a', { title: { value: 'x', upToVersion: 1 } }, nextTime()),
        ]);
        expect(await ledger.getDocument(scope.tenant, 'a')).toBeUndefined();
        expect((await ledger.documentChanges(scope, undefined)).rows).toEqual([]);
      }
    });

    test('a version that is accepted while its document is removed either lives or is named as open', async () => {
      const ledger = create();
      const scope = freshScope();
      await accept(ledger, scope, 'a');
      const { version } = await ledger.reserveVersion(scope, 'a', model);
      const job = jobOf(scope, 'a', version);
      const [removed] = await Promise.all([
        ledger.removeDocument(scope.tenant, 'a'),
        ledger.createJob(job, versionOf(job), { title: '', metadata: {} }),
      ]);
      const lives = (await ledger.getDocument(scope.tenant, 'a'))?.versions.map((one) => one.jobId) ?? [];
      expect([...lives, ...(removed?.openJobIds ?? [])].filter((id) => id === job.id)).toHaveLength(1);
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
}
