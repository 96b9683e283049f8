import { beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { removeDocument } from '../remove.ts';
import { encodeJson } from '../stored/artifacts.ts';
import { chunksKey, replacedKey, replacedPrefix, versionPrefix } from '../stored/blob-keys.ts';
import { expireVersions } from './expire.ts';
import { retireVersion, retireVersions } from './retire.ts';

/*
 * Versions that are replaced and expire, while others delete their document or bring the next one.
 */

const scope = { tenant: 'acme', namespace: 'default' };
const ref = (version: number) => ({ tenant: 'acme', documentId: 'notes', version });
const replaced = (version: number) => ({ ...scope, documentId: 'notes', version });

let flow: InMemoryFlow;
beforeEach(() => {
  flow = createInMemoryFlow();
});

async function ingested(text: string): Promise<void> {
  flow.ahead += 1000;
  await flow.ingest(text);
  await flow.drain();
}

const historyKey = () => ({ ...scope, model: flow.deps.embeddingModel, history: true as const });
const markers = () => [...flow.blobs.blobs.keys()].filter((key) => key.startsWith(replacedPrefix));
const blobsOf = (version: number) =>
  [...flow.blobs.blobs.keys()].filter((key) => key.startsWith(versionPrefix(ref(version))));

test('a document that is deleted while a version of it moves to history leaves nothing there', async () => {
  await ingested('The first text.');
  onNext(
    flow.deps.indexWriter,
    'write',
    async (call) => {
      await call();
      await removeDocument(flow.deps, 'acme', 'notes');
      return call();
    },
    (key) => key.history === true,
  );
  await ingested('The second text.');
  expect(await flow.vectors.count(historyKey())).toBe(0);
  expect(markers()).toEqual([]);
});

test('there is nothing to retire of a document that is gone, nor of one of another namespace', async () => {
  await ingested('The first text.');
  await ingested('The second text.');
  await flow.vectors.removeCollection(historyKey());
  await retireVersions(flow.deps, { ...scope, documentId: 'gone' }, { from: 0, before: 9 });
  expect(await retireVersion(flow.deps, { ...replaced(1), namespace: 'other' })).toBe(0);
  expect(await flow.vectors.count(historyKey())).toBe(0);
  expect(await retireVersion(flow.deps, replaced(1))).toBe(1);
});

test('where the model of the namespace is not known, history holds the version as it was made', async () => {
  await ingested('The first text.');
  await ingested('The second text.');
  await flow.vectors.removeCollection(historyKey());
  onNext(flow.ledger, 'embeddingModelOf', async () => undefined);
  expect(await retireVersion(flow.deps, replaced(1))).toBe(1);
  expect(await flow.vectors.count(historyKey())).toBe(1);
  await flow.vectors.removeCollection(historyKey());
  await flow.blobs.remove(chunksKey(ref(1)));
  expect(await retireVersion(flow.deps, replaced(1))).toBe(0);
});

test('neither the active version nor the latest one expires, whatever a marker says', async () => {
  await ingested('The first text.');
  await flow.blobs.put(replacedKey(ref(1), 1), encodeJson({ schemaVersion: 1, ...replaced(1) }));
  expect(await expireVersions(flow.deps, 0)).toBe(0);
  expect(blobsOf(1)).not.toEqual([]);
});

test('a marker that cannot be read keeps no other version from expiring', async () => {
  await ingested('The first text.');
  await ingested('The second text.');
  flow.ahead += 1000;
  const damaged = replacedKey(ref(9), 1);
  await flow.blobs.put(damaged, Buffer.from('half'));
  // In the order of time, as a file system or S3 lists them.
  const { list } = flow.blobs;
  flow.blobs.list = async function* (prefix) {
    const keys: string[] = [];
    for await (const key of list(prefix)) keys.push(key);
    yield* keys.sort();
  };
  expect(await expireVersions(flow.deps, 0)).toBe(1);
  expect(blobsOf(1)).toEqual([]);
  expect(markers()).toEqual([damaged]);
  onNext(flow.blobs, 'get', () => Promise.reject(new MemoryError('dependency_unavailable', 'It is away.')));
  await expect(expireVersions(flow.deps, 0)).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test('a version that is still on its way does not expire, though a newer one was faster', async () => {
  await flow.ingest('The first text.');
  const slow = flow.queue.take();
  await ingested('The second text.');
  flow.ahead += 1000;
  expect(markers()).toHaveLength(1);
  expect(await expireVersions(flow.deps, 0)).toBe(0);
  expect(blobsOf(1)).not.toEqual([]);
  await flow.queue.add(slow ? [slow] : []);
  await flow.drain();
  flow.ahead += 1000;
  expect(await expireVersions(flow.deps, 0)).toBe(1);
  expect(blobsOf(1)).toEqual([]);
});

test('what a crash has left of a version that was forgotten goes with its marker', async () => {
  await ingested('The first text.');
  await ingested('The second text.');
  flow.ahead += 1000;
  await flow.ledger.forgetVersion(scope, 'notes', 1);
  expect(blobsOf(1)).not.toEqual([]);
  expect(await expireVersions(flow.deps, 0)).toBe(1);
  expect(blobsOf(1)).toEqual([]);
  expect(markers()).toEqual([]);
});
