import { expect, test } from '@jest/globals';
import { createInMemoryVectorIndex } from './in-memory-vector-index.ts';
import { vectorIndexSuite } from './vector-index-suite.ts';

const shared = createInMemoryVectorIndex();
vectorIndexSuite('in memory', () => shared);

test('can be told to be away', async () => {
  const index = createInMemoryVectorIndex();
  index.unavailable = true;
  await expect(index.check()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await expect(index.count({ tenant: 't', namespace: 'n', model: 'm' })).rejects.toMatchObject({
    code: 'dependency_unavailable',
  });
});
