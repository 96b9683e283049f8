import { expect, test } from '@jest/globals';
import type { BlobStore } from '@semantic-memory/shared/ports/blob-store';
import { blobStoreSuite } from '@semantic-memory/shared/testing/blob-store-suite';
import { createInMemoryBlobStore } from '@semantic-memory/shared/testing/in-memory-blob-store';
import type { BreakerState } from './breaker.ts';
import { guardBlobStore } from './guarded-blob-store.ts';

blobStoreSuite('with deadlines', async () => ({
  store: guardBlobStore(createInMemoryBlobStore()),
  close: async () => {},
}));

const never = () => new Promise<never>(() => {});

test('a store that hangs costs one deadline, and its return is noticed with nobody calling', async () => {
  const inner = createInMemoryBlobStore();
  await inner.put('a/b', Uint8Array.of(1));
  let hangs = true;
  let asked = 0;
  const hanging: BlobStore = {
    ...inner,
    get: (key) => {
      asked += 1;
      return hangs ? never() : inner.get(key);
    },
    check: () => (hangs ? never() : inner.check()),
  };
  const states: BreakerState[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const store = guardBlobStore(
    hanging,
    (state) => {
      states.push(state);
      if (state === 'closed') resolve();
    },
    { callMs: 50, longMs: 50, openMs: 50 },
  );
  await expect(store.get('a/b')).rejects.toMatchObject({ code: 'dependency_unavailable', retry: { kind: 'wait' } });
  expect(states).toEqual(['open']);
  await expect(store.get('a/b')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await expect(store.put('a/c', Uint8Array.of(2))).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(asked).toBe(1);
  await expect(store.check()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  hangs = false;
  await closed;
  expect(await store.get('a/b')).toEqual(Uint8Array.of(1));
});

test('a stream that stops in the middle is given up', async () => {
  const inner = createInMemoryBlobStore();
  const stream = async function* () {
    yield Uint8Array.of(1);
    await never();
  };
  const store = guardBlobStore({ ...inner, getStream: async () => ({ stream: stream(), bytes: 2 }) }, undefined, {
    callMs: 50,
    longMs: 50,
    openMs: 50,
  });
  const found = await store.getStream('a/b');
  const read = async () => {
    for await (const _ of found?.stream ?? []);
  };
  await expect(read()).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test('a store that is full is still read', async () => {
  const inner = createInMemoryBlobStore();
  await inner.put('a/b', Uint8Array.of(1));
  const full = () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
  const states: BreakerState[] = [];
  const store = guardBlobStore({ ...inner, put: full }, (state) => states.push(state));
  for (let call = 1; call <= 5; call += 1) await expect(store.put('a/c', Uint8Array.of(2))).rejects.toThrow('full');
  expect(await store.get('a/b')).toEqual(Uint8Array.of(1));
  expect(states).toEqual([]);
});

test('whoever stops reading in the middle ends the reading of the store below', async () => {
  const inner = createInMemoryBlobStore();
  let ended = 0;
  const stream = async function* () {
    try {
      for (;;) yield Uint8Array.of(1);
    } finally {
      ended += 1;
    }
  };
  const store = guardBlobStore({ ...inner, getStream: async () => ({ stream: stream(), bytes: 9 }) });
  for await (const _ of (await store.getStream('a/b'))?.stream ?? []) break;
  expect(ended).toBe(1);
});
