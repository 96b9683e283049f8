import { expect, test } from '@jest/globals';
import { createMemory, searchFor } from '../testing/search-memory.ts';
import { search } from './search.ts';

/** Runs once, when words are next asked. */
function beforeWords(memory: ReturnType<typeof createMemory>, change: () => Promise<unknown>): void {
  const { rank } = memory.lexical;
  memory.lexical.rank = async (...query) => {
    memory.lexical.rank = rank;
    await change();
    return rank(...query);
  };
}

test.each([
  ['without a filter', {}],
  ['with a filter', { filter: { kind: 'tree' } }],
])('a document that is replaced while words are asked is found in its new version (%s)', async (_, more) => {
  const memory = createMemory();
  const metadata = { kind: 'tree' };
  await memory.store({ documentId: 'a', text: 'Pines are green.', metadata });
  await memory.store({ documentId: 'b', text: 'Pines are blue.' });
  beforeWords(memory, () => memory.store({ documentId: 'a', text: 'Pines are tall.', metadata }));
  const request = searchFor({ query: 'pines', mode: 'lexical', ...more });
  const { hits } = await search(memory.deps, 'acme', request);
  expect(hits.map((hit) => hit.text)).toContain('Pines are tall.');
});
