import { expect, test } from '@jest/globals';
import { createMemory } from './memory.suite.ts';
import { stats } from './stats.ts';

test.each([true, false])('counts active documents and chunks beside vectors (with a table: %s)', async (withTable) => {
  const memory = createMemory();
  await memory.store({ documentId: 'a', text: 'One.\n\nTwo.' });
  await memory.store({ documentId: 'b', namespace: 'notes', text: 'Three.' });
  await memory.store({ documentId: 'c', tenant: 'rival', text: 'Four.' });
  const deps = { ledger: memory.ledger, vectors: memory.vectors, ...(withTable ? { table: memory.deps.table } : {}) };
  const empty = { postings: 0 };
  expect(await stats(deps, 'acme')).toEqual({
    ...{ documents: 2, chunks: 3, vectors: 3, ...empty, consistent: true },
    namespaces: [
      { namespace: 'default', documents: 1, chunks: 2, vectors: 2, ...empty },
      { namespace: 'notes', documents: 1, chunks: 1, vectors: 1, ...empty },
    ],
  });
  await memory.store({ documentId: 'd', text: 'Five.', inFlight: true });
  expect(await stats(deps, 'acme')).toMatchObject({ documents: 2, chunks: 3, vectors: 4, consistent: false });
  expect(await stats(deps, 'nobody')).toMatchObject({ documents: 0, namespaces: [], consistent: true });
});
