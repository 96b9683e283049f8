import { expect, test } from '@jest/globals';
import { bagOfTerms, createMemory } from '../testing/search-memory.ts';
import { hydrate } from './hydrate.ts';

const at = (documentId: string, index: number) => ({ documentId, version: 1, index });

test('chunks that are there are given in the order asked for, others left out', async () => {
  const { deps, store } = createMemory();
  await store({ documentId: 'a', text: 'Pines.\n\nOaks.' });
  await store({ documentId: 'b', text: 'Elms.' });
  // A retry that cut the version anew may have made fewer.
  const wanted = [at('b', 0), at('a', 7), at('nobody', 0), at('a', 1)];
  const query = { vector: bagOfTerms('oaks'), model: 'terms-1' };
  const found = await hydrate(deps.blobs, 'acme', wanted, query);
  expect(found.map(({ text, similarity }) => [text, Math.round(similarity)])).toEqual([
    ['Elms.', 0],
    ['Oaks.', 1],
  ]);
});

test('a store that is away is no reason to say that a chunk is not there', async () => {
  const { blobs, store } = createMemory();
  await store({ documentId: 'a', text: 'Pines.' });
  blobs.unavailable = true;
  await expect(hydrate(blobs, 'acme', [at('a', 0)], undefined)).rejects.toMatchObject({
    code: 'dependency_unavailable',
  });
});
