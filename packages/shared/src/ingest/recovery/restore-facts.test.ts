import { beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { StoredSource } from '../../contracts/model/source.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { accept } from '../accept.ts';
import { retryJob } from '../jobs/retry.ts';
import { documentPrefix, extractionKey, outcomeKey, pendingKey, versionPrefix } from '../stored/blob-keys.ts';
import { expireVersions } from '../versions/expire.ts';
import { patchDocument } from '../versions/patch-document.ts';
import { readDocumentFacts } from './document-facts.ts';
import { rebuildLedger } from './rebuild-ledger.ts';
import { reconcile } from './reconcile.ts';

/*
 * What the ledger says follows from what the blob store tells, whatever of it either has lost.
 */

const later = 120_000;
const all = { documents: 'all' } as const;
const ref = (version: number, documentId = 'notes') => ({ tenant: 'acme', documentId, version });

let flow: InMemoryFlow;
beforeEach(() => {
  flow = createInMemoryFlow();
});

async function ingested(text: string, request: Parameters<InMemoryFlow['ingest']>[1] = {}) {
  const job = await flow.ingest(text, request);
  await flow.drain();
  return job;
}

const documentOf = (documentId = 'notes') => flow.ledger.getDocument('acme', documentId);
const jobOf = (id: string) => flow.ledger.getJob('acme', id);

async function loseAndRebuild(): Promise<void> {
  flow.ledger.wipe();
  while (flow.queue.take()) {}
  await flow.ledger.rebuildOnce(async (ledger, signal) => {
    await rebuildLedger({ ...flow.deps, ledger }, signal);
  });
}

/** A document of two versions, the first of which is not kept any more. */
async function withExpired(): Promise<() => void> {
  await ingested('The first text.');
  flow.ahead += 1000;
  await ingested('The second text.');
  flow.ahead += 1000;
  const lose = flow.ledger.remember();
  expect(await expireVersions(flow.deps, 0)).toBe(1);
  return lose;
}

test('a document is read however many blobs it has', async () => {
  await ingested('The first text.');
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Harbours' });
  const { list } = flow.blobs;
  const pages = `${versionPrefix(ref(1))}pages/`;
  // As many as some dozens of versions of a scan with thousands of pages.
  flow.blobs.list = async function* (prefix) {
    yield* list(prefix);
    for (let page = 1; page <= 150_000; page += 1) yield `${pages}${page}.json`;
  };
  const facts = await readDocumentFacts(flow.blobs, 'acme', 'notes');
  expect(facts).toMatchObject({ latestVersion: 1, patch: { title: { value: 'Harbours' } } });
});

test('a document is as old as it was, also where the version that told is forgotten', async () => {
  await withExpired();
  const before = await documentOf();
  expect(before?.versions).toHaveLength(1);
  await loseAndRebuild();
  expect(await documentOf()).toEqual(before);
});

test('a version that has expired is not known again by a ledger that has lost that', async () => {
  const lose = await withExpired();
  lose();
  expect((await documentOf())?.versions).toHaveLength(2);
  flow.ahead += later;
  expect(await reconcile(flow.deps, all)).toMatchObject({ drift: { document_differs: 1 } });
  expect((await documentOf())?.versions).toMatchObject([{ version: 2 }]);
  expect((await reconcile(flow.deps, all)).drift).toEqual({});
});

test('an active version stays so, where the blob store has lost it', async () => {
  await ingested('The first text.');
  await flow.ingest('The second text.');
  await flow.blobs.removePrefix(versionPrefix(ref(1)));
  await reconcile(flow.deps, all);
  expect(await documentOf()).toMatchObject({ activeVersion: 1, latestVersion: 2, versions: [{}, {}] });
});

test('a title that the ledger has lost is known again', async () => {
  await ingested('A text.');
  const lose = flow.ledger.remember();
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Notes on tides' });
  lose();
  flow.ahead += later;
  expect(await reconcile(flow.deps, all)).toMatchObject({ drift: { document_differs: 1 } });
  expect(await documentOf()).toMatchObject({ title: 'Notes on tides' });
});

test('a retry that is to call back still is, after the ledger was rebuilt', async () => {
  flow.faults.parse = new MemoryError('corrupt_document', 'It ends early.');
  const { id } = await ingested('A text.', { callbackUrl: 'https://example.org/hook' });
  const { deliveryId } = await retryJob(flow.deps, 'acme', id);
  expect(deliveryId).toMatch(/^del_/);
  await loseAndRebuild();
  expect(await jobOf(id)).toMatchObject({ state: 'queued', run: 1, deliveryId });
  await flow.drain();
  expect(flow.calls.map(({ body }) => JSON.parse(body).state)).toEqual(['failed', 'succeeded']);
});

test('an end of which only the state was stored is shown without its stages', async () => {
  const { id } = await ingested('A text.');
  const key = outcomeKey(ref(1));
  const { job: _shown, ...outcome } = JSON.parse(new TextDecoder().decode(await flow.blobs.get(key)));
  await flow.blobs.put(key, new TextEncoder().encode(JSON.stringify(outcome)));
  await loseAndRebuild();
  expect(await jobOf(id)).toMatchObject({ state: 'succeeded', progress: 1 });
  expect(await documentOf()).toMatchObject({ activeVersion: 1 });
});

test.each<StoredSource>([
  { type: 'git', url: 'https://example.org/library.git' },
  { type: 's3', bucket: 'library', prefix: '' },
])('many documents and one that are called the same share their numbers and nothing else: %j', async (source) => {
  await ingested('A text.', { documentId: 'library' });
  const parent = await accept(flow.deps, {
    ...{ tenant: 'acme', namespace: 'default', documentId: 'library', metadata: {}, priority: 'normal', options: {} },
    source,
  });
  await flow.drain();
  await ingested('Another text.', { documentId: 'library' });
  const before = await documentOf('library');
  expect(before?.versions.map(({ version }) => version)).toEqual([3, 1]);
  await loseAndRebuild();
  expect(await documentOf('library')).toEqual(before);
  expect(await jobOf(parent.id)).toMatchObject({ state: 'failed', version: 2 });
});

test('the documents of a repository are its own again', async () => {
  const source = { type: 'git', url: 'https://example.org/library.git' } as const;
  const parent = await accept(flow.deps, {
    ...{ tenant: 'acme', namespace: 'default', documentId: 'library', metadata: {}, priority: 'normal', options: {} },
    source,
  });
  const child = await ingested('A text.', { documentId: 'library:a', parentJobId: parent.id });
  await loseAndRebuild();
  expect(await flow.ledger.children('acme', parent.id)).toEqual([child.id]);
});

test('what is left of a version without its manifest is no version, and its number is not given out again', async () => {
  await ingested('A text.');
  await flow.blobs.put(extractionKey(ref(2)), new TextEncoder().encode('{}'));
  await loseAndRebuild();
  expect(await documentOf()).toMatchObject({ activeVersion: 1, versions: [{ version: 1 }] });
  expect(await flow.ingest('Another text.')).toMatchObject({ version: 3 });
});

test('a request that was given up is taken out of the ledger, also where its marker is lost', async () => {
  await ingested('A text.');
  const away = new MemoryError('dependency_unavailable', 'The ledger does not answer.');
  onNext(flow.ledger, 'createJob', async (call) => {
    await call();
    throw away;
  });
  onNext(flow.ledger, 'withdrawVersion', () => Promise.reject(away));
  await expect(flow.ingest('Another text.')).rejects.toBe(away);
  const [open] = await flow.ledger.openJobs(1);
  await flow.blobs.remove(pendingKey(open?.jobId ?? ''));
  flow.ahead += later;
  expect(await reconcile(flow.deps)).toMatchObject({ drift: { aborted_left: 1 } });
  expect(await flow.ledger.openJobs(1)).toEqual([]);
  expect(await documentOf()).toMatchObject({ versions: [{ version: 1 }] });
});

test('of two processes that find a lost retry, one begins it', async () => {
  flow.faults.parse = new MemoryError('corrupt_document', 'It ends early.');
  const { id } = await ingested('A text.');
  const lose = flow.ledger.remember();
  await retryJob(flow.deps, 'acme', id);
  lose();
  while (flow.queue.take()) {}
  flow.ahead += later;
  onNext(flow.ledger, 'getJobs', async (call) => {
    const found = await call();
    await reconcile(flow.deps);
    return found;
  });
  await reconcile(flow.deps);
  expect(flow.queue.waiting).toHaveLength(1);
  expect(await jobOf(id)).toMatchObject({ state: 'queued', run: 1 });
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({ state: 'succeeded', run: 1 });
});

test('a rebuild of many documents says now and then how far it is', async () => {
  for (let number = 0; number < 1000; number += 1) await flow.ingest('A text.', { documentId: `d${number}` });
  expect([...flow.blobs.blobs.keys()].some((key) => key.startsWith(documentPrefix('acme', 'd999')))).toBe(true);
  const said: unknown[] = [];
  Object.assign(flow.deps, {
    logger: { ...flow.deps.logger, info: (message: string, fields: object) => void said.push([message, fields]) },
  });
  await loseAndRebuild();
  expect(said).toEqual([['rebuilding the ledger', { documents: 1000 }]]);
  expect(await flow.ledger.openJobs(2000)).toHaveLength(1000);
});
