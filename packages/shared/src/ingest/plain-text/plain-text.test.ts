import { beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { StepPayload } from '../../contracts/jobs.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { accept } from '../accept.ts';
import type { AcceptRequest } from '../accept-request.ts';
import { retryJob } from '../jobs/retry.ts';
import { removeDocument } from '../remove.ts';
import { runStep } from '../run-step.ts';
import { readManifest } from '../stored/artifacts.ts';
import { extractionOf } from './extraction-of.ts';
import { storeUpload } from './store-upload.ts';

let flow: InMemoryFlow;
beforeEach(() => {
  flow = createInMemoryFlow();
});

async function* inPieces(text: string): AsyncIterable<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

async function ingest(text: string, request: Partial<AcceptRequest> = {}) {
  const original = await storeUpload(flow.deps, 'acme', inPieces(text), 1e6);
  return accept(flow.deps, {
    tenant: 'acme',
    namespace: 'default',
    documentId: 'notes',
    metadata: {},
    priority: 'normal',
    options: {},
    source: { type: 'upload', filename: 'notes.txt' },
    original,
    ...request,
  });
}

async function runAll(): Promise<string[]> {
  const names: string[] = [];
  for (let name = await flow.runNext(); name !== undefined; name = await flow.runNext()) names.push(name);
  return names;
}

const jobOf = async (id: string) => flow.ledger.getJob('acme', id);

test('a short plain text needs no parser: it is read where it is embedded, and committed there', async () => {
  const job = await ingest('The tide\r\nturns at six. 潮');
  expect(job.stages.map(({ name, state }) => `${name} ${state}`).slice(0, 3)).toEqual([
    'fetch skipped',
    'parse skipped',
    'ocr skipped',
  ]);
  expect(await runAll()).toEqual(['embed']);
  const ended = await jobOf(job.id);
  expect(ended).toMatchObject({ state: 'succeeded', progress: 1 });
  expect(ended?.stages.slice(3)).toMatchObject([
    { name: 'embed', state: 'done', attempts: 1, total: 1 },
    { name: 'index', state: 'done', attempts: 1, total: 1 },
  ]);
  const ref = { tenant: 'acme', documentId: 'notes', version: 1 };
  const extraction = await extractionOf(flow.blobs, ref, await readManifest(flow.blobs, ref));
  expect(extraction).toMatchObject({ mediaType: 'text/plain', pages: [{ text: 'The tide\nturns at six. 潮' }] });
  const document = await flow.ledger.getDocument('acme', 'notes');
  expect(document?.versions[0]).toMatchObject({ mediaType: 'text/plain', chunks: 1, state: 'active' });
});

test.each([
  ['markup', '<p>The tide turns.</p>', {}],
  ['a long text', 'The tide turns at six. '.repeat(1000), {}],
  ['what is called Markdown', '# Tides', { source: { type: 'upload', filename: 'tides.md' } }],
  ['what is declared as something else', 'The tide', { declaredMediaType: 'application/pdf' }],
] as [string, string, Partial<AcceptRequest>][])('%s goes to the parsers', async (_, text, request) => {
  const job = await ingest(text, request);
  expect([job.stage, await flow.runNext()]).toEqual(['parse', 'parse']);
});

test('a crash after the text was read goes on from there, and a retry too', async () => {
  const job = await ingest('The tide turns at six.');
  flow.faults.embed = new Error('the model died');
  await expect(flow.runNext({ attempt: 5, lastAttempt: true })).resolves.toBe('embed');
  expect(await jobOf(job.id)).toMatchObject({ state: 'failed', stage: 'embed' });
  await retryJob(flow.deps, 'acme', job.id);
  expect(await runAll()).toEqual(['embed']);
  expect(await jobOf(job.id)).toMatchObject({ state: 'succeeded', run: 1 });
});

test('what cannot be committed where it was embedded waits in the queue for the index, and is not embedded again', async () => {
  const job = await ingest('The tide turns at six.');
  const { addMissing } = flow.vectors;
  flow.vectors.addMissing = () => Promise.reject(new MemoryError('dependency_unavailable', 'Chroma is away.'));
  expect(await flow.runNext()).toBe('embed');
  expect(await jobOf(job.id)).toMatchObject({ state: 'waiting', stage: 'index' });
  flow.vectors.addMissing = addMissing;
  expect(await runAll()).toEqual(['index']);
  const ended = await jobOf(job.id);
  expect(ended).toMatchObject({ state: 'succeeded' });
  expect(ended?.stages.at(-1)).toMatchObject({ name: 'index', attempts: 1 });
  expect(flow.embedded).toHaveLength(1);
});

test.each([
  ['that has cost its process', { stalls: 1 }],
  ['whose worker is about to end', { makeWay: async () => true }],
])('a text %s is committed by another', async (_, differs) => {
  const job = await ingest('The tide turns at six.');
  const step = flow.queue.take();
  const { signal } = new AbortController();
  const delivery = { attempt: 1, lastAttempt: false, stalls: 0, signal, ...differs };
  await runStep(flow.deps, 'embed', step?.payload as StepPayload, delivery);
  expect(await jobOf(job.id)).toMatchObject({ stage: 'index' });
  expect(await runAll()).toEqual(['index']);
  expect(await jobOf(job.id)).toMatchObject({ state: 'succeeded' });
});

test('a text whose document was deleted before it was read ends as deleted', async () => {
  const job = await ingest('The tide turns at six.');
  const { original } = await readManifest(flow.blobs, { tenant: 'acme', documentId: 'notes', version: 1 });
  await flow.blobs.remove(original?.key ?? '');
  await removeDocument(flow.deps, 'acme', 'notes');
  await flow.drain();
  expect(await jobOf(job.id)).toMatchObject({ state: 'cancelled' });
});
