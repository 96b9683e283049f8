import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { type ArchiveFiles, filesOf, packed, readPacked, withSums } from '../../testing/in-memory-archive.ts';
import { createInMemoryFlow, type FlowOptions, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { storeOriginal } from '../accept-request.ts';
import { removeDocument } from '../remove.ts';
import { extractionKey, manifestKey, tokensKey } from '../stored/blob-keys.ts';
import { openContent, readText } from '../versions/read-document.ts';
import { acceptImport } from './accept-import.ts';
import { exportNamespace } from './export-namespace.ts';

/*
 * A namespace goes out as an archive and comes in again, here and elsewhere; and what is wrong with archives.
 */

const scope = { tenant: 'acme', namespace: 'default' };
const ref = (documentId = 'notes', version = 1) => ({ tenant: 'acme', documentId, version });
const createFlow = (options: FlowOptions = {}) => createInMemoryFlow({ readArchive: readPacked, ...options });

async function ingested(flow: InMemoryFlow, text: string, request: Parameters<InMemoryFlow['ingest']>[1] = {}) {
  await flow.ingest(text, request);
  await flow.drain();
}

const exported = (flow: InMemoryFlow) => filesOf(exportNamespace(flow.deps, scope, flow.deps.embeddingModel));

/** A namespace with a page that was read by OCR, and one document more. */
async function library(options: FlowOptions = {}): Promise<InMemoryFlow> {
  const flow = createFlow(options);
  flow.faults.ocr.set(2, 'Read from a picture.');
  await ingested(flow, 'One.\f', {
    source: { type: 'upload', filename: 'notes.pdf' },
    declaredMediaType: 'application/pdf',
  });
  await ingested(flow, 'The harbour is open.', { documentId: 'other' });
  return flow;
}

async function imported(flow: InMemoryFlow, files: ArchiveFiles, namespace?: string): Promise<JobRecord | undefined> {
  const { id } = await accepted(flow, files, namespace);
  await flow.drain();
  return flow.ledger.getJob('acme', id);
}

async function accepted(flow: InMemoryFlow, files: ArchiveFiles, namespace?: string): Promise<JobRecord> {
  return acceptImport(flow.deps, 'acme', await storeOriginal(flow.deps, 'acme', packed(files), 1e7), namespace);
}

const archivesOf = (flow: InMemoryFlow) =>
  [...flow.blobs.blobs.keys()].filter((key) => key.startsWith('uploads/') || /v\d+\/original$/.test(key));

test.each([true, false])('a namespace comes in elsewhere as it went out; with vectors of tokens: %s', async (late) => {
  const from = await library({ lateInteraction: late });
  const to = createFlow({ lateInteraction: late });
  expect(await imported(to, await exported(from))).toMatchObject({ state: 'succeeded' });
  expect(to.embedded).toEqual([]);
  for (const documentId of ['notes', 'other']) {
    expect(await readText(to.deps, 'acme', documentId)).toBe(await readText(from.deps, 'acme', documentId));
    expect(to.blobs.blobs.has(tokensKey(ref(documentId)))).toBe(late);
  }
  expect(await openContent(to.deps, 'acme', 'notes')).toMatchObject({ filename: 'notes.pdf', bytes: 5 });
  expect((await openContent(to.deps, 'acme', 'other')).filename).toBeUndefined();
  expect([...(await exported(to)).keys()]).toEqual([...(await exported(from)).keys()]);
});

test('vectors of tokens that cannot be read are left out of an archive', async () => {
  const flow = await library({ lateInteraction: true });
  await flow.blobs.put(tokensKey(ref()), new Uint8Array(10));
  const names = [...(await exported(flow)).keys()];
  expect(names.filter((name) => name.endsWith('tokens.bin'))).toHaveLength(1);
});

test('a document that goes while others are exported is not in the archive, one that is replaced is as it is now', async () => {
  const flow = await library();
  onNext(flow.ledger, 'listDocuments', async (call) => {
    const page = await call();
    await removeDocument(flow.deps, 'acme', 'other');
    return page;
  });
  const gone = new MemoryError('not_found', 'It is being replaced.');
  onNext(
    flow.blobs,
    'get',
    () => Promise.reject(gone),
    (key) => key === manifestKey(ref()),
  );
  const documents = [...(await exported(flow))].filter(([name]) => name.endsWith('document.json'));
  expect(documents.map(([, bytes]) => JSON.parse(Buffer.from(bytes).toString()).documentId)).toEqual(['notes']);
});

test('an archive with a document of which something is missing has no end', async () => {
  const flow = await library();
  await flow.blobs.remove(extractionKey(ref()));
  await expect(exported(flow)).rejects.toMatchObject({ message: 'Version 1 of notes has no extraction.' });
});

/** Changes the first file of that name. */
const changed =
  (name: string, change: (value: Record<string, unknown>) => unknown) =>
  (files: ArchiveFiles): void => {
    const [key = '', bytes = new Uint8Array()] = [...files].find(([one]) => one.endsWith(name)) ?? [];
    files.set(key, Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(bytes).toString())))));
  };
const replacedBy = (name: string, content: string) => (files: ArchiveFiles) => {
  const key = [...files.keys()].find((one) => one.endsWith(name)) ?? '';
  files.set(key, Buffer.from(content));
};

test.each([
  [
    'fewer chunks than it says',
    changed('document.json', (it) => ({ ...it, chunks: 7 })),
    'is not what the document says',
  ],
  [
    'vectors of a length that it does not say',
    changed('document.json', (it) => ({ ...it, dimension: 3 })),
    'is not what',
  ],
  [
    'a page that is another',
    changed('pages/2.json', (it) => ({ ...it, number: 3 })),
    'pages/2.json is of another page',
  ],
  ['a list for a record', replacedBy('document.json', '[]'), 'document.json is not as expected at its root'],
  ['no JSON', replacedBy('document.json', 'nonsense'), 'document.json is not as expected at its root'],
  ['a wrong member', changed('document.json', (it) => ({ ...it, version: 'x' })), 'is not as expected at version'],
  ['tokens of nothing', replacedBy('tokens.bin', 'no such file'), 'tokens.bin is not of the chunks beside it'],
])('an archive with %s is refused, and nothing of it is imported', async (_what, change, message) => {
  const files = await exported(await library({ lateInteraction: true }));
  change(files);
  const to = createFlow();
  const job = await imported(to, withSums(files));
  expect(job).toMatchObject({ state: 'failed', error: { code: 'unprocessable' } });
  expect(job?.error?.message).toContain(message);
  expect((await to.ledger.listDocuments('acme', { limit: 10 })).items).toEqual([]);
  expect(archivesOf(to)).toEqual([]);
});

test('a document of more pages than are allowed here is refused', async () => {
  const files = await exported(await library());
  const to = createFlow();
  Object.assign(to.deps, { limits: { ...to.deps.limits, maxPages: 1 } });
  const job = await imported(to, files);
  expect(job?.error?.message).toContain('has more than 1 pages');
});

test('checksums that fit the files are what an archive has of itself', async () => {
  const files = await exported(await library());
  expect(withSums(files)).toEqual(files);
});
