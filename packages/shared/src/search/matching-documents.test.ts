import { expect, test } from '@jest/globals';
import type { DocumentRow } from '../ports/ledger.ts';
import type { NamespaceTable } from './document-table.ts';
import { matchingDocuments } from './matching-documents.ts';

const row = (at: number, kind: string): DocumentRow => ({
  ...{ documentId: `d${at}`, activeVersion: 1, title: '', mediaType: 'text/plain', createdAt: '', chunks: 1 },
  metadata: { kind },
});

/** Every third of so many documents is a tree. */
function createTable(count: number) {
  const rows = new Map<string, DocumentRow>();
  for (let at = 0; at < count; at += 1) rows.set(`d${at}`, row(at, at % 3 === 0 ? 'tree' : 'stone'));
  const table = { rows, revision: 1 } as unknown as NamespaceTable & { revision: number };
  const change = (at: number, kind: string) => {
    rows.set(`d${at}`, row(at, kind));
    table.revision += 1;
  };
  return { table, change };
}

test('many documents are looked at with room for other work in between', async () => {
  const { table } = createTable(5000);
  let others = 0;
  const turn = () => {
    others += 1;
    handle = setImmediate(turn);
  };
  let handle = setImmediate(turn);
  const found = await matchingDocuments(table, { kind: 'tree' });
  clearImmediate(handle);
  expect(found?.size).toBe(1667);
  expect(others).toBeGreaterThan(0);
});

test('what changes while they are looked at is seen', async () => {
  const { table, change } = createTable(5000);
  setImmediate(() => change(0, 'stone'));
  const found = await matchingDocuments(table, { kind: 'tree' });
  expect([found?.size, found?.has('d0')]).toEqual([1666, false]);
});

test('where documents change all the time they are looked at in one go in the end', async () => {
  const { table, change } = createTable(5000);
  const turn = () => {
    change(1, table.revision % 2 ? 'tree' : 'stone');
    handle = setImmediate(turn);
  };
  let handle = setImmediate(turn);
  const found = await matchingDocuments(table, { kind: 'tree' });
  clearImmediate(handle);
  expect(found?.has('d1')).toBe(table.rows.get('d1')?.metadata.kind === 'tree');
});

test('answers of the filters used last are kept until a row changes', async () => {
  const { table, change } = createTable(3);
  const ask = (kind: string) => matchingDocuments(table, { kind });
  const first = await ask('tree');
  expect(await ask('tree')).toBe(first);
  for (let other = 0; other < 8; other += 1) await ask(`other ${other}`);
  const again = await ask('tree');
  expect(again).not.toBe(first);
  change(1, 'tree');
  expect([...((await ask('tree')) ?? [])]).toEqual(['d0', 'd1']);
});
