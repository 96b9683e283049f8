import { expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { createFakeEmbedder } from '@semantic-memory/shared/testing/fake-embedder';
import { deferredEmbedder } from './deferred-embedder.ts';

function create() {
  const away = new MemoryError('dependency_unavailable', 'The model is away.');
  let [loads, closes] = [0, 0];
  const embedder = deferredEmbedder('m', async () => {
    loads += 1;
    const close = async () => {
      closes += 1;
    };
    return { ...createFakeEmbedder('m'), outage: () => away, close };
  });
  return { embedder, away, counted: () => ({ loads, closes }) };
}

test('nothing is known of an embedder, and nothing said of it, before its first use', async () => {
  const { embedder, counted } = create();
  expect([embedder.model, embedder.dimension, embedder.maxTokens, embedder.outage?.()]).toEqual(['m', 0, 0, undefined]);
  await embedder.close();
  expect(counted()).toEqual({ loads: 0, closes: 0 });
});

test('it is loaded once, with whatever comes first, and closed where it was loaded', async () => {
  const { embedder, away, counted } = create();
  const [, query, [passage]] = await Promise.all([
    embedder.ready(),
    embedder.embedQuery('a lamp'),
    embedder.embedPassages(['a lamp']),
  ]);
  expect(query).toEqual(passage);
  expect([embedder.dimension, embedder.maxTokens, embedder.outage?.()]).toEqual([64, 512, away]);
  await embedder.close();
  expect(counted()).toEqual({ loads: 1, closes: 1 });
});
