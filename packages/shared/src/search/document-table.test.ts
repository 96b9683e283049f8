import { expect, test } from '@jest/globals';
import type { Scope } from '../contracts/model/ids.ts';
import type { DocumentChanges, DocumentRow } from '../ports/ledger.ts';
import { createDocumentTable } from './document-table.ts';

const scope: Scope = { tenant: 'acme', namespace: 'default' };

const row = (documentId: string, activeVersion: number): DocumentRow => ({
  documentId,
  activeVersion,
  title: documentId,
  metadata: {},
  mediaType: 'text/plain',
  createdAt: '2026-01-01T00:00:00.000Z',
  chunks: 1,
});

/** A ledger whose answers the test hands out one by one. */
function scriptedLedger() {
  const calls: {
    scope: Scope;
    cursor: string | undefined;
    answer(changes: Partial<DocumentChanges>): void;
    fail(): void;
  }[] = [];
  return {
    calls,
    documentChanges: (asked: Scope, cursor: string | undefined) =>
      new Promise<DocumentChanges>((resolve, reject) => {
        calls.push({
          scope: asked,
          cursor,
          answer: (changes) =>
            resolve({
              ...{ reset: false, rows: [], cursor: `c${calls.length}`, generation: `g${calls.length}` },
              ...{ embeddingModel: 'm', ...changes },
            }),
          fail: () => reject(new Error('away')),
        });
      }),
  };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test('reads everything once, then only what has changed', async () => {
  const ledger = scriptedLedger();
  const table = createDocumentTable({ ledger });
  const first = table.refresh(scope);
  ledger.calls[0]?.answer({ reset: true, rows: [row('a', 1), row('b', 2)] });
  expect([...(await first).rows.keys()]).toEqual(['a', 'b']);
  const second = table.refresh(scope);
  expect(ledger.calls[1]?.cursor).toBe('c1');
  ledger.calls[1]?.answer({ rows: [row('a', 0), row('b', 3), row('c', 1)] });
  const { rows } = await second;
  expect([...rows.values()].map((one) => `${one.documentId}@${one.activeVersion}`)).toEqual(['b@3', 'c@1']);
});

test('a reset forgets what is not in it', async () => {
  const ledger = scriptedLedger();
  const table = createDocumentTable({ ledger });
  const first = table.refresh(scope);
  ledger.calls[0]?.answer({ reset: true, rows: [row('a', 1)] });
  await first;
  const second = table.refresh(scope);
  ledger.calls[1]?.answer({ reset: true, rows: [row('b', 1)] });
  expect([...(await second).rows.keys()]).toEqual(['b']);
});

test('requests that come during a refresh share the next one, never the one under way', async () => {
  const ledger = scriptedLedger();
  const table = createDocumentTable({ ledger });
  const first = table.refresh(scope);
  const second = table.refresh(scope);
  const third = table.refresh(scope);
  await settle();
  expect(ledger.calls).toHaveLength(1);
  ledger.calls[0]?.answer({ reset: true, rows: [row('a', 1)] });
  await first;
  let secondDone = false;
  void second.then(() => {
    secondDone = true;
  });
  await settle();
  expect(secondDone).toBe(false);
  expect(ledger.calls).toHaveLength(2);
  ledger.calls[1]?.answer({ rows: [row('a', 0)] });
  expect((await second).rows.size).toBe(0);
  expect(await third).toBe(await second);
  expect(ledger.calls).toHaveLength(2);
});

test('a refresh that fails fails those who waited for it, not those who come after', async () => {
  const ledger = scriptedLedger();
  const table = createDocumentTable({ ledger });
  const first = table.refresh(scope);
  const second = table.refresh(scope);
  ledger.calls[0]?.fail();
  await expect(first).rejects.toThrow('away');
  await settle();
  ledger.calls[1]?.answer({ reset: true, rows: [row('a', 1)] });
  expect((await second).rows.size).toBe(1);
});

test('namespaces and tenants are apart, whatever their names hold', async () => {
  const ledger = scriptedLedger();
  const table = createDocumentTable({ ledger });
  const scopes = [
    { tenant: 'a', namespace: 'b:c' },
    { tenant: 'a:b', namespace: 'c' },
    { tenant: 'a","b', namespace: 'c' },
  ];
  const tables = scopes.map((one) => table.refresh(one));
  ledger.calls.forEach((call, index) => {
    call.answer({ reset: true, rows: [row(`d${index}`, 1)] });
  });
  const found = await Promise.all(tables);
  expect(found.map((one) => [...one.rows.keys()])).toEqual([['d0'], ['d1'], ['d2']]);
});

test('keeps only the namespaces used last', async () => {
  const ledger = scriptedLedger();
  const table = createDocumentTable({ ledger, maxNamespaces: 2 });
  for (const namespace of ['a', 'b', 'a', 'c', 'a', 'b']) {
    const refreshed = table.refresh({ tenant: 'acme', namespace });
    ledger.calls.at(-1)?.answer({ reset: true });
    await refreshed;
  }
  const asked = ledger.calls.map((call) => `${call.scope.namespace}:${call.cursor === undefined ? 'all' : 'changes'}`);
  expect(asked).toEqual(['a:all', 'b:all', 'a:changes', 'c:all', 'a:changes', 'b:all']);
});

test('whenever requests come, the ledger is read once at a time, and for each of them after it came', async () => {
  // So many turns after a read has ended, at which another request waits already, two more come.
  for (let turns = 0; turns < 12; turns += 1) {
    const readAtOnce: number[] = [];
    let reading = 0;
    const ledger = {
      async documentChanges(): Promise<DocumentChanges> {
        reading += 1;
        const number = readAtOnce.push(reading);
        await settle();
        reading -= 1;
        if (number === 1) late.resolve(comeLate());
        return { reset: false, rows: [], cursor: `${number}`, generation: `${number}`, embeddingModel: 'm' };
      },
    };
    const table = createDocumentTable({ ledger });
    const late = Promise.withResolvers<void>();
    const come = async () => {
      const before = readAtOnce.length;
      const { generation } = await table.refresh(scope);
      expect(Number(generation)).toBeGreaterThan(before);
    };
    const comeLate = async () => {
      for (let turn = 0; turn < turns; turn += 1) await undefined;
      await Promise.all([come(), come()]);
    };
    await Promise.all([come(), come(), late.promise]);
    expect(new Set(readAtOnce)).toEqual(new Set([1]));
  }
});
