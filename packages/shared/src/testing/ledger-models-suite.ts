import { describe, expect, test } from '@jest/globals';
import type { Ledger } from '../ports/ledger.ts';
import { accept, acceptActive, freshScope, model, nextTime } from './ledger-fixtures.ts';

/** See `ledger-suite.ts`. */
export function ledgerModelsSuite(name: string, create: () => Ledger): void {
  describe(`${name}: the model of a namespace`, () => {
    test('it is what the first version was accepted with, until it is switched, and no other namespace is touched', async () => {
      const ledger = create();
      const scope = freshScope();
      const other = { ...scope, namespace: 'other' };
      expect(await ledger.embeddingModelOf(scope)).toBeUndefined();
      await acceptActive(ledger, scope, 'a');
      await acceptActive(ledger, other, 'b');
      expect(await ledger.switchModel(scope, 'b-model')).toBe(true);
      expect([await ledger.embeddingModelOf(scope), await ledger.embeddingModelOf(other)]).toEqual(['b-model', model]);
      expect((await ledger.reserveVersion(scope, 'c', model)).embeddingModel).toBe('b-model');
      expect((await ledger.documentChanges(scope, undefined)).embeddingModel).toBe('b-model');
    });

    test('a switch is a generation of its own, and repeating it is none', async () => {
      const ledger = create();
      const scope = freshScope();
      await acceptActive(ledger, scope, 'a');
      const before = await ledger.documentChanges(scope, undefined);
      expect(await ledger.switchModel(scope, 'b-model', before.generation)).toBe(true);
      const after = await ledger.documentChanges(scope, before.cursor);
      expect(after).toMatchObject({ reset: false, rows: [], embeddingModel: 'b-model' });
      expect(after.generation).not.toBe(before.generation);
      expect(await ledger.switchModel(scope, 'b-model', before.generation)).toBe(true);
      expect((await ledger.documentChanges(scope, undefined)).generation).toBe(after.generation);
    });

    test('it is not switched where a document has changed since', async () => {
      const ledger = create();
      const scope = freshScope();
      await acceptActive(ledger, scope, 'a');
      const { generation, cursor } = await ledger.documentChanges(scope, undefined);
      await ledger.removeDocument(scope.tenant, 'a');
      expect(await ledger.switchModel(scope, 'b-model', generation)).toBe(false);
      expect(await ledger.embeddingModelOf(scope)).toBe(model);
      const now = await ledger.documentChanges(scope, cursor);
      expect(await ledger.switchModel(scope, 'b-model', now.generation)).toBe(true);
    });

    test('a version with vectors of another model is not activated', async () => {
      const ledger = create();
      const scope = freshScope();
      const { version } = await accept(ledger, scope, 'a');
      await ledger.switchModel(scope, 'b-model');
      const activate = (of: string) => ledger.activateVersion(scope, 'a', version, nextTime(), {}, undefined, of);
      expect(await activate(model)).toEqual({ outcome: 'other_model', previous: 0 });
      expect((await ledger.documentChanges(scope, undefined)).rows).toEqual([]);
      expect(await activate('b-model')).toMatchObject({ outcome: 'activated', previous: 0 });
    });

    test('of a switch and an activation at the same time, the later one knows of the first', async () => {
      for (let round = 0; round < 20; round += 1) {
        const ledger = create();
        const scope = freshScope();
        const { version } = await accept(ledger, scope, 'a');
        const { generation } = await ledger.documentChanges(scope, undefined);
        const [switched, activated] = await Promise.all([
          ledger.switchModel(scope, 'b-model', generation),
          ledger.activateVersion(scope, 'a', version, nextTime(), {}, undefined, model),
        ]);
        expect(switched).toBe(activated.outcome === 'other_model');
      }
    });

    test('a namespace that is not there yet is made by a switch, as a rebuild needs it', async () => {
      const ledger = create();
      const scope = freshScope();
      expect(await ledger.switchModel(scope, 'b-model')).toBe(true);
      expect(await ledger.namespaces(scope.tenant)).toEqual([
        { namespace: scope.namespace, embeddingModel: 'b-model' },
      ]);
      expect(await ledger.tenants()).toContain(scope.tenant);
      await acceptActive(ledger, scope, 'a');
      expect((await ledger.documentChanges(scope, undefined)).embeddingModel).toBe('b-model');
    });
  });
}
