import { expect, test } from '@jest/globals';
import { createMemory } from '../testing/search-memory.ts';
import { stats } from './stats.ts';

test('counts active documents and chunks beside vectors', async () => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'One.\n\nTwo.' });
  await memory.store({ documentId: 'b', namespace: 'notes', text: 'Three.' });
  await memory.store({ documentId: 'c', tenant: 'rival', text: 'Four.' });
  const { ledger, vectors, lexical } = memory;
  const deps = { ledger, vectors, lexical, table: memory.deps.table };
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
