import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { deletedWhileAccepted } from '../../testing/deleted-while-accepted.ts';
import { createFakeEmbedder } from '../../testing/fake-embedder.ts';
import { type ArchiveFiles, filesOf, packed, readPacked } from '../../testing/in-memory-archive.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { storeOriginal } from '../accept-request.ts';
import { createModelDimensions } from '../index/model-dimension.ts';
import { originalKey } from '../stored/blob-keys.ts';
import { acceptImport } from './accept-import.ts';
import { exportNamespace } from './export-namespace.ts';

/*
 * An archive of three documents comes in where something is in its way.
 */

const scope = { tenant: 'acme', namespace: 'default' };
const names = ['one', 'two', 'three'];
const archive = { tenant: 'acme', documentId: 'namespace:default', version: 1 };

const exported = (flow: InMemoryFlow) => filesOf(exportNamespace(flow.deps, scope, flow.deps.embeddingModel));
async function ingest(flow: InMemoryFlow, documentId: string, namespace = 'default'): Promise<void> {
  await flow.ingest(`The text of ${documentId}.`, { documentId, namespace });
  await flow.drain();
}

let files: ArchiveFiles;
beforeAll(async () => {
  const flow = createInMemoryFlow();
  for (const name of names) await ingest(flow, name);
  files = await exported(flow);
});

let flow: InMemoryFlow;
beforeEach(() => {
  flow = createInMemoryFlow({ readArchive: readPacked, otherModels: [createFakeEmbedder('next-model')] });
});

const stored = (of = files) => storeOriginal(flow.deps, 'acme', packed(of), 1e7);
const begin = async (of = files): Promise<JobRecord> => acceptImport(flow.deps, 'acme', await stored(of), undefined);
const jobOf = ({ id }: JobRecord) => flow.ledger.getJob('acme', id);
const documents = async () =>
  (await flow.ledger.listDocuments('acme', { namespace: 'default', limit: 100 })).items.map((one) => one.documentId);
const isKept = () => flow.blobs.blobs.has(originalKey(archive));

test('an archive that is not where it was stored cannot be accepted', async () => {
  const bytes = await stored();
  await flow.blobs.remove(bytes.key);
  await expect(acceptImport(flow.deps, 'acme', bytes, undefined)).rejects.toMatchObject({ code: 'internal' });
});

test('an archive of another model than the namespace has is refused, and so is one of a model that is not served', async () => {
  await ingest(flow, 'mine');
  await flow.ledger.switchModel(scope, 'next-model');
  await expect(begin()).rejects.toMatchObject({
    code: 'conflict',
    message: 'The namespace has the model next-model; the archive has vectors of fake-embedder.',
  });
  const embedderFor = () => undefined;
  await expect(acceptImport({ ...flow.deps, embedderFor }, 'acme', await stored(), 'empty')).rejects.toMatchObject({
    code: 'unprocessable',
    message: 'The vectors are of the model fake-embedder, which is not configured here.',
  });
  const job = await acceptImport(flow.deps, 'acme', await stored(), 'empty');
  await flow.drain();
  expect(await jobOf(job)).toMatchObject({ state: 'succeeded', namespace: 'empty' });
});

test('an archive that is not kept any more has to be sent again', async () => {
  const job = await begin();
  await flow.blobs.remove(originalKey(archive));
  await flow.drain();
  expect(await jobOf(job)).toMatchObject({
    state: 'failed',
    error: { code: 'unprocessable', message: 'The archive is not kept any more.', hint: 'Send it again.' },
  });
});

test('an archive is kept while a store is away, and goes once it is in', async () => {
  const job = await begin();
  onNext(flow.ledger, 'getDocument', () => Promise.reject(new MemoryError('dependency_unavailable', 'Away.')));
  await expect(flow.runNext()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(isKept()).toBe(true);
  await flow.drain();
  expect(await jobOf(job)).toMatchObject({ state: 'succeeded' });
  expect((await documents()).toSorted()).toEqual(['one', 'three', 'two']);
  expect(isKept()).toBe(false);
});

test.each([
  [1, /^These documents are in another namespace: document-0\.$/],
  [52, /^These documents are in another namespace: document-.*, document-.* and 2 more\.$/],
])(
  'of %d documents that are in another namespace fifty are named, and nothing is imported',
  async (length, message) => {
    const from = createInMemoryFlow();
    const many = Array.from({ length }, (_, at) => `document-${at}`);
    for (const name of many) await ingest(from, name);
    for (const name of many) await ingest(flow, name, 'other');
    const job = await begin(await exported(from));
    await flow.drain();
    const ended = await jobOf(job);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'conflict' } });
    expect(ended?.error?.message).toMatch(message);
    expect(await documents()).toEqual([]);
    expect(isKept()).toBe(false);
  },
);

test('vectors of another length than those of the model here are refused', async () => {
  await createModelDimensions(flow.blobs).agree(flow.deps.embeddingModel, 3);
  const job = await begin();
  await flow.drain();
  expect(await jobOf(job)).toMatchObject({ state: 'failed', error: { code: 'unprocessable' } });
  expect((await jobOf(job))?.error?.message).toContain('have 64 numbers; those of fake-embedder have 3.');
  expect(await documents()).toEqual([]);
});

test('of a model that nobody has asked yet the archive tells how long its vectors are', async () => {
  const { embedderFor } = flow.deps;
  Object.assign(flow.deps, { embedderFor: (model: string) => ({ ...embedderFor(model), dimension: 0 }) });
  const job = await begin();
  await flow.drain();
  expect(await jobOf(job)).toMatchObject({ state: 'succeeded' });
  expect(await createModelDimensions(flow.blobs).known(flow.deps.embeddingModel)).toBe(64);
});

test('a namespace that gets another model while an archive comes in keeps what it has, and the import fails', async () => {
  const job = await begin();
  await flow.ledger.switchModel(scope, 'next-model');
  await flow.drain();
  expect(await jobOf(job)).toMatchObject({ state: 'failed', error: { code: 'conflict' } });
  expect(await documents()).toEqual([]);
});

test('an import lets others go first after each document, and takes none of them in twice', async () => {
  const job = await begin();
  flow.faults.othersWait = true;
  await expect(flow.runNext()).rejects.toMatchObject({ retry: { kind: 'yield' } });
  expect(await documents()).toHaveLength(1);
  // The first one is found to be there; nobody waits, but that takes long.
  flow.faults.othersWait = false;
  const { addChild } = flow.ledger;
  flow.ledger.addChild = async (...args) => {
    flow.ahead += 61_000;
    return addChild(...args);
  };
  while (flow.queue.waiting[0]?.name !== 'import') await flow.runNext();
  await expect(flow.runNext()).rejects.toMatchObject({ retry: { kind: 'yield' } });
  flow.ledger.addChild = addChild;
  await flow.drain();
  expect(await jobOf(job)).toMatchObject({ state: 'succeeded' });
  expect((await flow.ledger.listJobs('acme', { limit: 100 })).items).toHaveLength(4);
});

test('a document that is deleted while it comes in is none of those that the import waits for', async () => {
  const job = await begin();
  const gone = { tenant: 'acme', documentId: 'two', version: 1 };
  deletedWhileAccepted(flow, gone);
  await flow.drain();
  expect(await jobOf(job)).toMatchObject({ state: 'succeeded' });
  expect((await documents()).toSorted()).toEqual(['one', 'three']);
  expect(await flow.ledger.children('acme', job.id)).toHaveLength(2);
});
