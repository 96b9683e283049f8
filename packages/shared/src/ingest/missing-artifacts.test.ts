import { expect, test } from '@jest/globals';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { retryJob } from './jobs/retry.ts';
import { chunksKey, extractionKey } from './stored/blob-keys.ts';
import { patchDocument } from './versions/patch-document.ts';

/*
 * Artifacts that are not where the step before has put them: a blob store that was brought back from a copy, or somebody
 * who tidied up in it. The step says what it misses; no version is committed without.
 */

const ref = { tenant: 'acme', documentId: 'notes', version: 1 };

async function runUntil(flow: InMemoryFlow, step: string): Promise<void> {
  while (flow.queue.waiting[0]?.name !== step) await flow.runNext();
}

test.each([
  ['ocr', extractionKey(ref), 'The document was not parsed before OCR.'],
  ['embed', extractionKey(ref), 'The document was not parsed before it was to be embedded.'],
  ['index', extractionKey(ref), 'The document was not parsed before it was to be indexed.'],
  ['index', chunksKey(ref), 'The document was not embedded before it was to be indexed.'],
])('step %s says what is missing of %s', async (step, key, message) => {
  const flow = createInMemoryFlow();
  flow.faults.ocr.set(2, 'Read.');
  const { id } = await flow.ingest('One.\f');
  await runUntil(flow, step);
  await flow.blobs.remove(key);
  await flow.drain();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'failed', error: { code: 'internal', message } });
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ activeVersion: 0 });
});

test('what was never fetched cannot be parsed', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('One.', { original: undefined });
  await flow.drain();
  expect(await flow.ledger.getJob('acme', id)).toMatchObject({
    state: 'failed',
    error: { code: 'internal', message: 'The original was not fetched before it was to be parsed.' },
  });
});

test('a new title is kept where words cannot follow it yet, since the chunks are gone', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('One.');
  await flow.drain();
  await flow.blobs.remove(chunksKey(ref));
  const patched = await patchDocument(flow.deps, 'acme', 'notes', { title: 'Notes of one' });
  expect(patched).toMatchObject({ title: 'Notes of one', activeVersion: 1 });
});

test('where the blob store has lost the original nobody says that the document was deleted', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  const [original = ''] = [...flow.blobs.blobs.keys()].filter((name) => name.endsWith('/original'));
  const bytes = flow.blobs.blobs.get(original);
  await flow.blobs.remove(original);
  await flow.drain();
  const failed = await flow.ledger.getJob('acme', job.id);
  expect(failed).toMatchObject({
    state: 'failed',
    error: { code: 'internal', message: 'What the document is made of is not in the blob store.' },
  });
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ versions: [{ state: 'failed' }] });
  // It was brought back from a backup.
  await flow.blobs.put(original, bytes as Uint8Array);
  await retryJob(flow.deps, 'acme', job.id);
  await flow.drain();
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
});
