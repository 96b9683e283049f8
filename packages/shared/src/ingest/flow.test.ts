import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { StepPayload } from '../contracts/jobs.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { acceptOnce } from './idempotency/accept-once.ts';
import { cancelJob } from './jobs/cancel.ts';
import { crashError } from './jobs/poison.ts';
import { retryJob } from './jobs/retry.ts';
import { reconcile } from './recovery/reconcile.ts';
import { removeDocument } from './remove.ts';
import { runStep } from './run-step.ts';
import { documentPrefix, pendingPrefix } from './stored/blob-keys.ts';
import { readChunks, readText } from './versions/read-document.ts';

const key = (flow: InMemoryFlow) => ({ tenant: 'acme', namespace: 'default', model: flow.deps.embeddingModel });
const jobOf = async (flow: InMemoryFlow, id: string) => {
  const job = await flow.ledger.getJob('acme', id);
  if (!job) throw new Error(`no job ${id}`);
  return job;
};
const keysBelow = async (flow: InMemoryFlow, prefix: string) => {
  const keys: string[] = [];
  for await (const found of flow.blobs.list(prefix)) keys.push(found);
  return keys;
};
const markers = async (flow: InMemoryFlow) => (await keysBelow(flow, pendingPrefix)).length;
const paragraphs = (count: number, changed?: number) =>
  Array.from(
    { length: count },
    (_, index) =>
      `Paragraph ${index === changed ? 'anew' : index} ${'tells of the sea and the ships upon it '.repeat(8)}.`,
  ).join('\n\n');

const lateRecord = {
  chunkId: '0123456789abcdef0123456789abcdef',
  vector: new Float32Array(64).fill(0.125),
  text: 'The harbour is open.',
  documentId: 'notes',
  version: 1,
  index: 0,
  page: undefined,
  headings: [],
  start: 0,
  end: 20,
};

test('a document goes through its steps and is committed once, with nothing left pending', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  expect(await markers(flow)).toBe(1);
  const names: string[] = [];
  for (let name = await flow.runNext(); name; name = await flow.runNext()) names.push(name);
  expect(names).toEqual(['parse', 'embed', 'index']);
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded', progress: 1 });
  expect(await flow.vectors.count(key(flow))).toBe(1);
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('The harbour is open.');
  expect(await markers(flow)).toBe(0);
});

test('an id that stands in for a title is not embedded; a title, or the name of a file, is', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { documentId: 'doc_01' });
  await flow.ingest('The harbour is shut.', { documentId: 'doc_02', title: 'News' });
  await flow.ingest('The harbour is full.', { documentId: 'doc_03', source: { type: 'upload', filename: 'news.txt' } });
  await flow.drain();
  expect(flow.embedded.toSorted()).toEqual([
    'News\nThe harbour is shut.',
    'The harbour is open.',
    'news.txt\nThe harbour is full.',
  ]);
  expect((await flow.ledger.getDocument('acme', 'doc_01'))?.title).toBe('doc_01');
});

test('each step that is run again finds what it has done: nothing is embedded or indexed twice', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest(paragraphs(60));
  for (;;) {
    const next = flow.queue.waiting[0];
    if (!next) break;
    await flow.runNext();
    // The same delivery once more, as after a lost lock.
    await flow.queue.add([next]);
    await flow.runNext();
  }
  const { items } = await readChunks(flow.deps, 'acme', 'notes', undefined, { limit: 1000 });
  expect(flow.embedded.length).toBe(items.length);
  expect(await flow.vectors.count(key(flow))).toBe(items.length);
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
});

test('a fault of ours is tried again from the last artifact', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  flow.faults.embed = new Error('the model process died');
  await flow.drain();
  const ended = await jobOf(flow, job.id);
  expect(ended.state).toBe('succeeded');
  expect(ended.stages.find((stage) => stage.name === 'embed')?.attempts).toBe(2);
});

test('a dependency that is away makes the job wait, not fail', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  await flow.runNext();
  flow.faults.embed = new MemoryError('dependency_unavailable', 'The model does not answer.');
  await expect(flow.runNext({ attempt: 5, lastAttempt: true })).rejects.toMatchObject({ retry: { kind: 'wait' } });
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'waiting', stage: 'embed' });
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
});

test('a document that is at fault ends as failed, with its reason and hint', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('secret');
  flow.faults.parse = new MemoryError('encrypted_document', 'It is locked.', { hint: 'Unlock it.' });
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({
    state: 'failed',
    error: { code: 'encrypted_document', message: 'It is locked.', hint: 'Unlock it.' },
  });
  expect(await markers(flow)).toBe(0);
  expect(flow.queue.waiting).toEqual([]);
});

const kill = () => crashError('the process died', undefined);

test('a document that kills its parser three times is poison, and what fails in between counts for nothing', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('boom');
  const faults = [kill(), new Error('a fault that passes'), kill(), new Error('another one'), kill()];
  for (const [index, fault] of faults.entries()) {
    expect(await jobOf(flow, job.id)).toMatchObject({ state: index === 0 ? 'queued' : 'running' });
    flow.faults.parse = fault;
    const run = flow.runNext({ attempt: index + 1, lastAttempt: index === 4 });
    await (index < 4 ? expect(run).rejects.toBeInstanceOf(Error) : run);
  }
  expect(await jobOf(flow, job.id)).toMatchObject({
    state: 'failed',
    error: { code: 'poison_document', message: expect.stringContaining('3 times') },
  });
});

test('kills in different stages, of children and of workers, are counted together', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('boom');
  flow.faults.parse = kill();
  await expect(flow.runNext()).rejects.toBeInstanceOf(MemoryError);
  await flow.runNext();
  expect(await jobOf(flow, job.id)).toMatchObject({ stage: 'embed' });
  const [step] = flow.queue.waiting;
  const delivery = { attempt: 1, lastAttempt: false, signal: new AbortController().signal };
  flow.faults.embed = kill();
  const payload = step?.payload as StepPayload;
  await expect(runStep(flow.deps, 'embed', payload, { ...delivery, stalls: 0 })).rejects.toBeInstanceOf(MemoryError);
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'running' });
  // A worker has died with it since.
  await runStep(flow.deps, 'embed', payload, { ...delivery, stalls: 1 });
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'failed', error: { code: 'poison_document' } });
  expect(flow.embedded).toEqual([]);
  // Whoever tries it again means it: the count begins anew.
  await retryJob(flow.deps, 'acme', job.id);
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
});

test('a process that dies while its worker is told to end is no kill', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('innocent');
  const [step] = flow.queue.waiting;
  for (let restart = 1; restart <= 5; restart += 1) {
    const goesOn = new MemoryError('dependency_unavailable', 'The worker stops.', { retry: { kind: 'elsewhere' } });
    flow.faults.parse = kill();
    const delivery = { attempt: 1, lastAttempt: false, stalls: 0, signal: AbortSignal.abort(goesOn) };
    await expect(runStep(flow.deps, 'parse', step?.payload as StepPayload, delivery)).rejects.toBe(goesOn);
  }
  flow.faults.parse = undefined;
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
});

test('pages without text are read by OCR and keep their place', async () => {
  const flow = createInMemoryFlow();
  flow.faults.ocr.set(2, 'Two.');
  const job = await flow.ingest('One.\f\fThree.');
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('One.\n\nTwo.\n\nThree.');
});

test('of a long scan that cannot be read it is said how many pages were, and which of the first could not', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest(`One.${'\f'.repeat(150)}`);
  await flow.drain();
  const { state, warnings } = await jobOf(flow, job.id);
  expect(state).toBe('partial');
  expect(warnings).toHaveLength(100);
  expect(warnings.slice(0, 2)).toEqual([
    { code: 'pages_unreadable', message: '1 of 151 pages were read.' },
    { code: 'page_unreadable', message: 'The page could not be rendered.', page: 2 },
  ]);
});

test('a page that cannot be read makes the job partial and says which; a retry reads only that one', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('One.\f\fThree.');
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'partial' });
  expect((await jobOf(flow, job.id)).warnings).toEqual(
    expect.arrayContaining([
      { code: 'pages_unreadable', message: '2 of 3 pages were read.' },
      { code: 'page_unreadable', message: 'The page could not be rendered.', page: 2 },
    ]),
  );
  flow.faults.ocr.set(2, 'Two.');
  expect(await retryJob(flow.deps, 'acme', job.id)).toMatchObject({ state: 'queued', run: 1 });
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded', warnings: [] });
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('One.\n\nTwo.\n\nThree.');
});

test('a document without text ends as failed', async () => {
  const flow = createInMemoryFlow();
  flow.faults.ocr.set(1, '');
  const job = await flow.ingest('  ');
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'failed', error: { code: 'no_text_found' } });
});

test('a new version replaces the old one and embeds only what changed', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest(paragraphs(100));
  await flow.drain();
  const first = flow.embedded.length;
  await flow.ingest(paragraphs(100, 50));
  await flow.drain();
  expect(flow.embedded.length - first).toBeGreaterThan(0);
  expect(flow.embedded.length - first).toBeLessThanOrEqual(3);
  expect(await flow.vectors.countDocument(key(flow), 'notes', 1)).toBe(0);
  const { items } = await readChunks(flow.deps, 'acme', 'notes', undefined, { limit: 1000 });
  expect(await flow.vectors.countDocument(key(flow), 'notes', 2)).toBe(items.length);
});

test('of two versions the newer one wins, whichever is done first', async () => {
  const flow = createInMemoryFlow();
  const first = await flow.ingest('The old text.');
  const second = await flow.ingest('The new text.', { priority: 'high' });
  await flow.drain();
  expect(await jobOf(flow, second.id)).toMatchObject({ state: 'succeeded' });
  expect(await jobOf(flow, first.id)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('The new text.');
  expect(await flow.vectors.count(key(flow))).toBe(1);
});

test('what is deleted is gone from every store, also in mid-ingest', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The first text.');
  await flow.drain();
  const job = await flow.ingest('The second text.');
  await flow.runNext();
  await flow.runNext();
  const receipt = await removeDocument(flow.deps, 'acme', 'notes');
  expect(receipt).toMatchObject({ documentId: 'notes', verifiedAbsent: true, removed: { chunks: 1 } });
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'cancelled' });
  expect(await flow.vectors.count(key(flow))).toBe(0);
  expect(await keysBelow(flow, documentPrefix('acme', 'notes'))).toEqual([]);
  await expect(removeDocument(flow.deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'not_found' });
});

test('what a step still writes during a delete is removed too, before the delete is answered', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await flow.runNext();
  await flow.runNext();
  const { removeDocument: remove } = flow.vectors;
  flow.vectors.removeDocument = async (...args) => {
    flow.vectors.removeDocument = remove;
    const removed = await flow.vectors.removeDocument(...args);
    // The index step was past its last look at the cancel.
    await flow.vectors.addMissing(key(flow), [lateRecord]);
    return removed;
  };
  expect(await removeDocument(flow.deps, 'acme', 'notes')).toMatchObject({
    verifiedAbsent: true,
    removed: { chunks: 1 },
  });
  expect(await flow.vectors.count(key(flow))).toBe(0);
});

test.each([
  ['parse', 0],
  ['embed', 1],
])('what step %s writes after its document was deleted goes when the step ends', async (_, stepsBefore) => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  for (let step = 0; step < stepsBefore; step += 1) await flow.runNext();
  const { put, putAll } = flow.blobs;
  let isDeleted = false;
  // As of a process that was frozen just before its write.
  const deletedFirst = async () => {
    if (isDeleted) return;
    isDeleted = true;
    await removeDocument(flow.deps, 'acme', 'notes');
  };
  const isOfVersion = (name: string) => name.startsWith(`${documentPrefix('acme', 'notes')}v1/`);
  flow.blobs.put = async (name, ...rest) => {
    if (isOfVersion(name)) await deletedFirst();
    return put(name, ...rest);
  };
  flow.blobs.putAll = async (blobs, ...rest) => {
    if (blobs.some((blob) => isOfVersion(blob.key))) await deletedFirst();
    return putAll(blobs, ...rest);
  };
  await flow.runNext();
  expect(isDeleted).toBe(true);
  expect(await keysBelow(flow, documentPrefix('acme', 'notes'))).toEqual([]);
});

test('a deleted document that comes again goes on with the version numbers', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The first life.');
  await flow.drain();
  await removeDocument(flow.deps, 'acme', 'notes');
  const job = await flow.ingest('The second life.');
  await flow.drain();
  expect(job.version).toBe(2);
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('The second life.');
  expect(await flow.vectors.count(key(flow))).toBe(1);
});

test('a cancelled job stays cancelled, and a retry takes it to the end', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  await flow.runNext();
  expect(await cancelJob(flow.deps, 'acme', job.id)).toMatchObject({ state: 'cancelled' });
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'cancelled' });
  expect(await flow.vectors.count(key(flow))).toBe(0);
  await expect(cancelJob(flow.deps, 'acme', job.id)).rejects.toMatchObject({ code: 'conflict' });
  await retryJob(flow.deps, 'acme', job.id);
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
  await expect(retryJob(flow.deps, 'acme', job.id)).rejects.toMatchObject({ code: 'conflict' });
});

test('a cancel between the durable outcome and the flip ends nothing: the commit does, once a search finds it', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  await flow.runNext();
  await flow.runNext();
  const { activateVersion } = flow.ledger;
  flow.ledger.activateVersion = async () => {
    flow.ledger.activateVersion = activateVersion;
    await expect(cancelJob(flow.deps, 'acme', job.id)).rejects.toMatchObject({ code: 'conflict' });
    throw new MemoryError('dependency_unavailable', 'Redis does not answer.');
  };
  await expect(flow.runNext()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'waiting' });
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ activeVersion: 1 });
});

test('a job that is cancelled in mid-index leaves nothing in the index', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest(paragraphs(60));
  await flow.runNext();
  await flow.runNext();
  const write = flow.deps.indexWriter.write;
  const deps = flow.deps as { indexWriter: typeof flow.deps.indexWriter };
  deps.indexWriter = {
    write: async (collection, records) => {
      await write(collection, records);
      await cancelJob(flow.deps, 'acme', job.id);
      // Longer than the watch takes to hear of it.
      await new Promise((resolve) => setTimeout(resolve, 50));
    },
  };
  await flow.runNext();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'cancelled' });
  expect(await flow.vectors.count(key(flow))).toBe(0);
});

test('a document that is deleted while it is committed leaves no blob behind', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  await flow.runNext();
  await flow.runNext();
  const activate = flow.ledger.activateVersion;
  flow.ledger.activateVersion = async (...args) => {
    await removeDocument(flow.deps, 'acme', 'notes');
    return activate(...args);
  };
  await flow.runNext();
  // The delete came before the flip: no search ever found it.
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
  expect(await flow.vectors.count(key(flow))).toBe(0);
  expect(await keysBelow(flow, documentPrefix('acme', 'notes'))).toEqual([]);
  expect(await markers(flow)).toBe(0);
});

test('one key is one job, whatever is sent at the same time; another body is refused', async () => {
  const flow = createInMemoryFlow();
  const request = { tenant: 'acme', namespace: 'default', metadata: {}, priority: 'normal', options: {} } as const;
  const source = { type: 'url', url: 'https://example.org/' } as const;
  const send = (fingerprint: string) => acceptOnce(flow.deps, { ...request, source }, { key: 'k1', fingerprint });
  const jobs = await Promise.all(Array.from({ length: 20 }, () => send('same')));
  expect(new Set(jobs.map((job) => job.id)).size).toBe(1);
  await expect(send('other')).rejects.toMatchObject({ code: 'unprocessable' });
});

test('an accept that the ledger refuses leaves nothing that will be ingested, and its key free', async () => {
  const flow = createInMemoryFlow();
  const createJob = flow.ledger.createJob;
  flow.ledger.createJob = () => Promise.reject(new MemoryError('dependency_unavailable', 'Redis is away.'));
  await expect(flow.ingest('lost')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  flow.ledger.createJob = createJob;
  // The marker stays for as long as the call may still take effect.
  expect(await markers(flow)).toBe(1);
  flow.ahead = 3_600_000;
  expect(await reconcile(flow.deps)).toEqual({ checked: expect.any(Number), drift: {}, repaired: 0 });
  expect(await markers(flow)).toBe(0);
  expect(await flow.runNext()).toBeUndefined();
  const again = await flow.ingest('found');
  await flow.drain();
  expect(await jobOf(flow, again.id)).toMatchObject({ state: 'succeeded' });
});

test('a job that comes to be although its request was answered with 503 is taken out, not left queued for ever', async () => {
  const flow = createInMemoryFlow();
  const createJob = flow.ledger.createJob;
  flow.ledger.createJob = async (...record) => {
    await createJob(...record);
    throw new MemoryError('dependency_unavailable', 'Redis took it, and its answer was lost.');
  };
  await expect(flow.ingest('late', { documentId: 'late' })).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect((await flow.ledger.listJobs('acme', { limit: 10 })).items).toEqual([]);
  expect(await flow.ledger.getDocument('acme', 'late')).toBeUndefined();
  flow.ahead = 11 * 60_000;
  await reconcile(flow.deps);
  expect(await markers(flow)).toBe(0);
});

test('a step waits, says so once, and goes on, where the blob store is away', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  flow.blobs.unavailable = true;
  const queued = flow.queue.waiting[0]!;
  for (let look = 1; look <= 3; look += 1) {
    flow.ahead += 10_000;
    await expect(flow.runNext()).rejects.toMatchObject({ code: 'dependency_unavailable', retry: { kind: 'wait' } });
    await flow.queue.add([queued]);
  }
  const waiting = await jobOf(flow, job.id);
  expect(waiting).toMatchObject({ state: 'waiting' });
  expect(waiting.stages.find((stage) => stage.name === 'parse')).toMatchObject({ state: 'waiting', attempts: 0 });
  const watch = flow.ledger.watchJob('acme', job.id, undefined, AbortSignal.timeout(100));
  const states: string[] = [];
  for await (const event of watch) states.push(event.job.state);
  expect(states).toEqual(['queued', 'waiting']);
  flow.blobs.unavailable = false;
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
});

test('while the index is known to be away a waiting step is not begun again, and its job stays as it is', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  while (flow.queue.waiting[0]?.name !== 'index') await flow.runNext();
  const outage = new MemoryError('dependency_unavailable', 'Chroma does not answer.');
  const { addMissing } = flow.vectors;
  let asked = 0;
  flow.vectors.addMissing = () => {
    asked += 1;
    return Promise.reject(outage);
  };
  const queued = flow.queue.waiting[0]!;
  await expect(flow.runNext()).rejects.toBe(outage);
  flow.vectors.outage = () => outage;
  const before = await jobOf(flow, job.id);
  expect(before).toMatchObject({ state: 'waiting', stage: 'index' });
  flow.ahead += 10_000;
  await flow.queue.add([queued]);
  await expect(flow.runNext()).rejects.toBe(outage);
  expect(asked).toBe(1);
  expect(await jobOf(flow, job.id)).toEqual(before);
  flow.vectors.outage = () => undefined;
  flow.vectors.addMissing = addMissing;
  await flow.queue.add([queued]);
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
});

test('a job that fell out of the queue is handed out again', async () => {
  const flow = createInMemoryFlow();
  flow.queue.unavailable = true;
  const job = await flow.ingest('The harbour is open.');
  flow.queue.unavailable = false;
  expect(flow.queue.waiting).toEqual([]);
  flow.ahead = 120_000;
  await reconcile(flow.deps);
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
});

test('a job that waits in a busy queue is given ten minutes before it is handed out again', async () => {
  const flow = createInMemoryFlow();
  flow.queue.unavailable = true;
  const lost = await flow.ingest('The harbour is open.');
  flow.queue.unavailable = false;
  await flow.ingest('The pier is closed.', { documentId: 'pier' });
  const handedOut = () => flow.queue.waiting.some((job) => 'jobId' in job.payload && job.payload.jobId === lost.id);
  flow.ahead = 9 * 60_000;
  await reconcile(flow.deps);
  expect(handedOut()).toBe(false);
  flow.ahead = 11 * 60_000;
  await reconcile(flow.deps);
  expect(handedOut()).toBe(true);
});

test('a job that the ledger has lost is restored from its manifest', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.');
  const other = createInMemoryFlow();
  // The same blob store behind an empty ledger and queue: what a loss of Redis leaves.
  const deps = { ...other.deps, blobs: flow.blobs, clock: { now: () => Date.now() + 120_000 } };
  expect(await reconcile(deps)).toMatchObject({ checked: 1, drift: { job_missing: 1 }, repaired: 1 });
  expect(await other.ledger.getJob('acme', job.id)).toMatchObject({ state: 'queued', documentId: 'notes', version: 1 });
  expect(other.queue.waiting.map((waiting) => waiting.name)).toEqual(['parse']);
});
