import { expect, test } from '@jest/globals';
import { createMemory } from '../testing/search-memory.ts';
import { stats } from './stats.ts';

test.each([true, false])('counts active documents and chunks beside vectors (with a table: %s)', async (withTable) => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'One.\n\nTwo.' });
  await memory.store({ documentId: 'b', namespace: 'notes', text: 'Three.' });
  await memory.store({ documentId: 'c', tenant: 'rival', text: 'Four.' });
  const { ledger, vectors, lexical } = memory;
  const deps = { ledger, vectors, lexical, ...(withTable ? { table: memory.deps.table } : {}) };
  expect(await stats(deps, 'acme')).toEqual({
    ...{ documents: 2, chunks: 3, vectors: 3, postings: 3, consistent: true },
    namespaces: [
      { namespace: 'default', documents: 1, chunks: 2, vectors: 2, postings: 2 },
      { namespace: 'notes', documents: 1, chunks: 1, vectors: 1, postings: 1 },
    ],
  });
  await memory.store({ documentId: 'd', text: 'Five.', inFlight: true });
  expect(await stats(deps, 'acme')).toMatchObject({ documents: 2, chunks: 3, vectors: 4, consistent: false });
  expect(await stats(deps, 'nobody')).toMatchObject({ documents: 0, namespaces: [], consistent: true });
});

test('an index that is known to lack chunks is not consistent, whatever the numbers say', async () => {
  const { deps, ledger, vectors, lexical, store } = createMemory();
  await store({ documentId: 'a', text: 'One.' });
  await ledger.markIndex({ tenant: 'acme', namespace: 'default' }, 'incomplete');
  const found = await stats({ ledger, vectors, lexical, table: deps.table }, 'acme');
  expect(found).toMatchObject({ chunks: 1, vectors: 1, postings: 1, consistent: false });
});
