import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { createInMemoryCache } from '../testing/in-memory-cache.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { finishDeletions, removeDocument } from './remove.ts';
import { encodeJson } from './stored/artifacts.ts';
import { deletingKey, deletingPrefix, documentPrefix, manifestKey } from './stored/blob-keys.ts';
import { patchDocument } from './versions/patch-document.ts';
import { readText } from './versions/read-document.ts';

const key = (flow: InMemoryFlow) => ({ tenant: 'acme', namespace: 'default', model: flow.deps.embeddingModel });

async function ingested(flow: InMemoryFlow, text: string) {
  const job = await flow.ingest(text);
  await flow.drain();
  return job;
}

async function expectNothing(flow: InMemoryFlow): Promise<void> {
  expect(await flow.ledger.getDocument('acme', 'notes')).toBeUndefined();
  expect(await flow.vectors.count(key(flow))).toBe(0);
  expect(await flow.vectors.count({ ...key(flow), history: true })).toBe(0);
  const below = [...flow.blobs.blobs.keys()].filter(
    (name) => name.startsWith(documentPrefix('acme', 'notes')) || name.startsWith(deletingPrefix),
  );
  expect(below).toEqual([]);
}

/** A call that fails the first time it is made, as one that meets a dependency away. */
const failingOnce = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
  let failed = false;
  return async (...args: Args): Promise<Result> => {
    if (failed) return call(...args);
    failed = true;
    throw new MemoryError('dependency_unavailable', 'It is away.');
  };
};

const places: Record<string, (flow: InMemoryFlow) => void> = {
  'the index away': (flow) => {
    flow.vectors.removeDocument = failingOnce(flow.vectors.removeDocument);
  },
  'the index away when it is asked again': (flow) => {
    flow.vectors.countDocument = failingOnce(flow.vectors.countDocument);
  },
  'the ledger away': (flow) => {
    flow.ledger.removeDocument = failingOnce(flow.ledger.removeDocument);
  },
  'the blob store away': (flow) => {
    flow.blobs.removePrefix = failingOnce(flow.blobs.removePrefix);
  },
};

test('what is left of versions that a killed process was removing goes too, though no list shows it', async () => {
  const flow = createInMemoryFlow();
  await ingested(flow, 'The harbour is open.');
  await ingested(flow, 'The harbour is closed.');
  const prefix = documentPrefix('acme', 'notes');
  for (const path of ['v1', 'v2/chunks.json', 'v2/pages/1.json', 'v3', 'created.json'])
    flow.blobs.remains.add(`${prefix}${path}`);
  await removeDocument(flow.deps, 'acme', 'notes');
  // Of a version that came meanwhile something may be half written.
  expect([...flow.blobs.remains]).toEqual([`${prefix}v3`, `${prefix}created.json`]);
});

test.each(Object.keys(places))('a delete that met %s is gone on with when it is asked for again', async (place) => {
  const flow = createInMemoryFlow();
  await ingested(flow, 'The harbour is open.');
  await ingested(flow, 'The harbour is closed.');
  places[place]!(flow);
  await expect(removeDocument(flow.deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(await removeDocument(flow.deps, 'acme', 'notes')).toMatchObject({ documentId: 'notes', verifiedAbsent: true });
  await expectNothing(flow);
  await expect(removeDocument(flow.deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'not_found' });
});

test.each(Object.keys(places))('a delete that met %s is finished although nobody asks again', async (place) => {
  const flow = createInMemoryFlow();
  await ingested(flow, 'The harbour is open.');
  await ingested(flow, 'The harbour is closed.');
  places[place]!(flow);
  await expect(removeDocument(flow.deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  // At once it is left to whoever began it.
  expect(await finishDeletions(flow.deps)).toBe(0);
  flow.ahead = 61_000;
  expect(await finishDeletions(flow.deps)).toBe(1);
  await expectNothing(flow);
  expect(await finishDeletions(flow.deps)).toBe(0);
});

test('a delete that never reached the ledger is void once the document was ingested again', async () => {
  const flow = createInMemoryFlow();
  await ingested(flow, 'The harbour is open.');
  flow.ledger.removeDocument = failingOnce(flow.ledger.removeDocument);
  await expect(removeDocument(flow.deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await flow.ingest('The harbour is new.');
  flow.ahead = 61_000;
  expect(await finishDeletions(flow.deps)).toBe(0);
  await flow.drain();
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('The harbour is new.');
  expect(await flow.vectors.count(key(flow))).toBe(1);
});

test('what a delete that never reached the ledger would have removed is not swept: the document is still there', async () => {
  const flow = createInMemoryFlow();
  await ingested(flow, 'The harbour is open.');
  flow.ledger.removeDocument = failingOnce(flow.ledger.removeDocument);
  await expect(removeDocument(flow.deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  const stored = [...flow.blobs.blobs.keys()];
  await flow.drain();
  expect([...flow.blobs.blobs.keys()]).toEqual(stored);
  expect(await flow.vectors.count(key(flow))).toBe(1);
  // Once it was ingested again it stays, whatever becomes of that.
  flow.faults.parse = new MemoryError('corrupt_document', 'It ends early.');
  await ingested(flow, 'The harbour is new.');
  flow.ahead = 61_000;
  expect(await finishDeletions(flow.deps)).toBe(0);
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('The harbour is open.');
});

test('deletes that were gone on with are told once, and not for ever', async () => {
  const flow = createInMemoryFlow();
  const told: string[] = [];
  const deps = {
    ...flow.deps,
    metrics: { ...flow.deps.metrics, indexDrift: (kind: string, count: number) => void told.push(`${kind} ${count}`) },
  };
  await ingested(flow, 'The harbour is open.');
  flow.ledger.removeDocument = failingOnce(flow.ledger.removeDocument);
  await expect(removeDocument(deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  flow.ahead = 61_000;
  await finishDeletions(deps);
  await finishDeletions(deps);
  expect(told).toEqual(['delete_interrupted 1', 'delete_interrupted 0']);
});

test('a delete that cannot be finished keeps no other one from being finished, and is said', async () => {
  const flow = createInMemoryFlow();
  await ingested(flow, 'The harbour is open.');
  await flow.blobs.put(deletingKey('acme', 'another'), Buffer.from('half'));
  flow.ledger.removeDocument = failingOnce(flow.ledger.removeDocument);
  await expect(removeDocument(flow.deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  flow.ahead = 61_000;
  await expect(finishDeletions(flow.deps)).rejects.toMatchObject({ code: 'internal' });
  expect(await flow.ledger.getDocument('acme', 'notes')).toBeUndefined();
  expect(await flow.blobs.has(deletingKey('acme', 'notes'))).toBe(false);
});

test('a document whose manifest cannot be read is deleted as any other', async () => {
  const flow = createInMemoryFlow();
  const { version } = await ingested(flow, 'The harbour is open.');
  await flow.blobs.put(manifestKey({ tenant: 'acme', documentId: 'notes', version }), Buffer.from('half'));
  const { get } = flow.blobs;
  flow.blobs.get = async (key) => {
    if (key.endsWith('/manifest.json')) throw new MemoryError('dependency_unavailable', 'It is away.');
    return get(key);
  };
  await expect(removeDocument(flow.deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  flow.blobs.get = get;
  expect(await removeDocument(flow.deps, 'acme', 'notes')).toMatchObject({ verifiedAbsent: true });
  await expectNothing(flow);
});

test('two deletes at the same time both say that it is gone', async () => {
  const flow = createInMemoryFlow();
  await ingested(flow, 'The harbour is open.');
  const receipts = await Promise.all([
    removeDocument(flow.deps, 'acme', 'notes'),
    removeDocument(flow.deps, 'acme', 'notes'),
  ]);
  for (const receipt of receipts) expect(receipt.verifiedAbsent).toBe(true);
  await expectNothing(flow);
});

test('a delete removes what the cache has of its namespace, counts it, and lets nothing in that was begun before', async () => {
  const flow = createInMemoryFlow();
  const cache = createInMemoryCache();
  const area = { tenant: 'acme', namespace: 'default' };
  const times = { freshMs: 60_000, graceMs: 0 };
  await ingested(flow, 'The harbour is open.');
  for (const query of ['harbour', 'open']) await (await cache.claim(area, query))?.store('The harbour is open.', times);
  await (await cache.claim({ tenant: 'acme', namespace: 'other' }, 'harbour'))?.store('Another harbour.', times);
  const searching = await cache.claim(area, 'is it open');
  const { removed } = await removeDocument({ ...flow.deps, cache }, 'acme', 'notes');
  await searching?.store('The harbour is open.', times);
  expect(removed.cacheEntries).toBe(2);
  expect(cache.size).toBe(1);
});

test('a delete that cannot look into the cache says so, and is finished once it can', async () => {
  const flow = createInMemoryFlow();
  const cache = createInMemoryCache();
  await ingested(flow, 'The harbour is open.');
  const deps = { ...flow.deps, cache: { clear: failingOnce(cache.clear) } };
  await expect(removeDocument(deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  flow.ahead = 61_000;
  expect(await finishDeletions(deps)).toBe(1);
  await expectNothing(flow);
});

test('with a document goes what it was given to be called', async () => {
  const flow = createInMemoryFlow();
  await ingested(flow, 'The harbour is open.');
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Harbours' });
  const there = [...flow.blobs.blobs.keys()].filter((name) => name.startsWith(documentPrefix('acme', 'notes')));
  expect(there.some((name) => name.includes('/patch-'))).toBe(true);
  expect((await removeDocument(flow.deps, 'acme', 'notes')).removed.blobs).toBe(there.length);
  await expectNothing(flow);
});

test('a delete that was begun and never came to its tombstone is finished, whatever is left', async () => {
  const flow = createInMemoryFlow();
  await ingested(flow, 'The harbour is open.');
  const at = new Date(flow.deps.clock.now()).toISOString();
  const begun = { schemaVersion: 1, tenant: 'acme', namespace: 'default', documentId: 'notes', upToVersion: 1, at };
  await flow.blobs.put(deletingKey('acme', 'notes'), encodeJson(begun));
  await flow.ledger.removeDocument('acme', 'notes');
  expect(await removeDocument(flow.deps, 'acme', 'notes')).toMatchObject({ verifiedAbsent: true, deletedAt: at });
  await expectNothing(flow);
  await expect(removeDocument(flow.deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'not_found' });
});
