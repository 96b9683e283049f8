import { expect, test } from '@jest/globals';
import { blobStoreSuite } from './blob-store-suite.ts';
import { createInMemoryBlobStore } from './in-memory-blob-store.ts';

blobStoreSuite('in memory', async () => ({ store: createInMemoryBlobStore(), close: async () => {} }));

test('can be told to be away', async () => {
  const store = createInMemoryBlobStore();
  store.unavailable = true;
  await expect(store.check()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await expect(store.put('a', new Uint8Array())).rejects.toMatchObject({ code: 'dependency_unavailable' });
});
