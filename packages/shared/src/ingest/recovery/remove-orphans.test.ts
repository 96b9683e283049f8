import { expect, test } from '@jest/globals';
import { createInMemoryFlow } from '../../testing/in-memory-flow.ts';
import { accept } from '../accept.ts';
import { storeOriginal } from '../accept-request.ts';
import { uploadsPrefix } from '../stored/blob-keys.ts';
import { reconcile } from './reconcile.ts';
import { orphanAfterMs, removeOrphanOriginals } from './remove-orphans.ts';

async function* bytesOf(text: string) {
  yield new TextEncoder().encode(text);
}

const request = {
  tenant: 'acme',
  namespace: 'default',
  documentId: 'notes',
  metadata: {},
  priority: 'normal',
  options: {},
  source: { type: 'upload' },
} as const;

function setUp() {
  const flow = createInMemoryFlow();
  const under = (prefix: string) => [...flow.blobs.blobs.keys()].filter((key) => key.startsWith(prefix));
  return { flow, deps: flow.deps, uploads: () => under(uploadsPrefix), keys: () => under('') };
}

test('an upload whose process died before a document claimed it goes after its time, not before', async () => {
  const { flow, deps, uploads } = setUp();
  await flow.blobs.put(`${uploadsPrefix}not-one-of-ours`, new Uint8Array());
  await storeOriginal(deps, 'acme', bytesOf('never claimed'), 100);
  flow.ahead = orphanAfterMs - 1_000;
  expect(await removeOrphanOriginals(deps)).toBe(0);
  expect(uploads()).toHaveLength(2);
  flow.ahead = orphanAfterMs + 1_000;
  expect((await reconcile(deps)).drift).toEqual({ upload_left: 1 });
  expect(uploads()).toEqual([`${uploadsPrefix}not-one-of-ours`]);
});

test('what a document has claimed is never touched, however old, and is gone with the document', async () => {
  const { flow, deps, uploads } = setUp();
  await flow.ingest('one page');
  expect(uploads()).toEqual([]);
  flow.ahead = 365 * 24 * 60 * 60 * 1000;
  expect(await removeOrphanOriginals(deps)).toBe(0);
  await flow.drain();
  const document = await flow.ledger.getDocument('acme', 'notes');
  expect(document?.activeVersion).toBe(1);
});

test('a process that dies while it moves an upload leaves it under both keys, and the document stays whole', async () => {
  const { flow, deps, uploads } = setUp();
  const original = await storeOriginal(deps, 'acme', bytesOf('claimed'), 100);
  const blobs = { ...flow.blobs, move: flow.blobs.copy };
  await accept({ ...deps, blobs }, { ...request, original });
  expect(uploads()).toHaveLength(1);
  flow.ahead = 2 * orphanAfterMs;
  expect(await removeOrphanOriginals(deps)).toBe(1);
  await flow.drain();
  expect((await flow.ledger.getDocument('acme', 'notes'))?.activeVersion).toBe(1);
});

test('a process that dies between the manifest and the bytes leaves nothing that is taken for a document', async () => {
  const { flow, deps } = setUp();
  const original = await storeOriginal(deps, 'acme', bytesOf('never claimed'), 100);
  const died = Promise.withResolvers<void>();
  const move = () => {
    died.resolve();
    return new Promise<void>(() => {});
  };
  void accept({ ...deps, blobs: { ...flow.blobs, move } }, { ...request, original });
  await died.promise;
  flow.ahead = 2 * orphanAfterMs;
  await reconcile(deps, { documents: 'all' });
  expect((await flow.ledger.listJobs('acme', { limit: 10 })).items).toEqual([]);
  expect(await flow.ledger.getDocument('acme', 'notes')).toBeUndefined();
  // The next one gets a number of its own.
  expect(await flow.ingest('accepted')).toMatchObject({ version: 2 });
});

test('a store that fails in the middle of a claim keeps nothing of it', async () => {
  const { flow, deps, keys } = setUp();
  for (const failing of ['move', 'copy'] as const) {
    const original = await storeOriginal(deps, 'acme', bytesOf('refused'), 100);
    const blobs = { ...flow.blobs, [failing]: () => Promise.reject(new Error('no room')) };
    await expect(accept({ ...deps, blobs }, { ...request, original })).rejects.toThrow('no room');
    await flow.blobs.remove(original.key);
    expect(keys()).toEqual([]);
  }
});

test('a request that was given up and died before it took its bytes back leaves them to the reconciler', async () => {
  const { flow, deps, keys } = setUp();
  const original = await storeOriginal(deps, 'acme', bytesOf('refused'), 100);
  const ledger = { ...flow.ledger, createJob: () => Promise.reject(new Error('away')) };
  const blobs = { ...flow.blobs, remove: () => Promise.reject(new Error('died')) };
  await expect(accept({ ...deps, ledger, blobs }, { ...request, original })).rejects.toThrow('died');
  flow.ahead = 11 * 60_000;
  await reconcile(deps);
  expect(keys().map((key) => key.split('/').at(-1))).toEqual(['manifest.json', 'outcome.json']);
});

test('an accept that the ledger refuses keeps no bytes, and says for good that it was given up', async () => {
  const { flow, deps, keys } = setUp();
  const original = await storeOriginal(deps, 'acme', bytesOf('refused'), 100);
  const ledger = { ...flow.ledger, createJob: () => Promise.reject(new Error('away')) };
  await expect(accept({ ...deps, ledger }, { ...request, original })).rejects.toMatchObject({ code: 'internal' });
  const left = () => keys().map((key) => key.split('/').at(-1));
  expect(left().filter((name) => !name?.startsWith('job_'))).toEqual(['manifest.json', 'outcome.json']);
  // What was asked of the ledger may come about late: its marker stays until that would be seen.
  expect(left()).toHaveLength(3);
  flow.ahead = 11 * 60_000;
  await reconcile(deps);
  expect(left()).toEqual(['manifest.json', 'outcome.json']);
});
