import { expect, test } from '@jest/globals';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { createChunkShelf } from './chunk-shelf.ts';
import { search } from './search.ts';

test.each(['hybrid', 'dense', 'lexical'] as const)(
  'with chunks kept in process the same is found, before and after a document is replaced (%s)',
  async (mode) => {
    const memory = createMemory();
    const kept = { ...memory.deps, shelf: createChunkShelf({ maxBytes: 1_000_000 }) };
    const request = searchFor({ query: 'pines', mode, neighbours: 1 });
    for (const text of ['Pines.\n\nOaks.\n\nPines and elms.', 'Limes.\n\nPines are tall.']) {
      await memory.store({ documentId: 'a', text });
      const plain = await search(memory.deps, 'acme', request);
      for (let round = 0; round < 3; round += 1) expect(await search(kept, 'acme', request)).toEqual(plain);
      expect(plain.hits.length).toBeGreaterThan(0);
    }
  },
);
