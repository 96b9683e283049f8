import { describe, expect, test } from '@jest/globals';
import type { Ledger } from '../ports/ledger.ts';
import { accept, acceptActive, freshScope, model, nextTime, to } from './ledger-fixtures.ts';

/** See `ledger-suite.ts`. */
export function ledgerChangesSuite(name: string, create: () => Ledger): void {
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
      const { cursor, generation } = all;
      const unchanged = { cursor, generation, embeddingModel: model, indexIncomplete: false };
      expect(none).toEqual({ reset: false, rows: [], ...unchanged });

      await ledger.patchDocument(scope.tenant, 'b', { metadata: { value: { k: ['v'] }, upToVersion: 9 } }, nextTime());
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

    test('each change that a search can see is a generation of its own', async () => {
      const ledger = create();
      const scope = freshScope();
      const seen: string[] = [];
      const see = async () => {
        const { generation } = await ledger.documentChanges(scope, undefined);
        expect((await ledger.documentChanges(scope, undefined)).generation).toBe(generation);
        seen.push(generation);
      };
      await acceptActive(ledger, scope, 'a');
      await see();
      await acceptActive(ledger, scope, 'b');
      await see();
      await acceptActive(ledger, scope, 'b');
      await see();
      await ledger.patchDocument(scope.tenant, 'b', { title: { value: 'Tides', upToVersion: 9 } }, nextTime());
      await see();
      await ledger.removeDocument(scope.tenant, 'b');
      await see();
      await ledger.removeDocument(scope.tenant, 'a');
      await see();
      await acceptActive(ledger, scope, 'a');
      await see();
      expect(new Set(seen).size).toBe(seen.length);
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
