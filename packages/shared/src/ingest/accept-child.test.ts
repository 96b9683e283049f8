import { beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { StepPayload } from '../contracts/jobs.ts';
import type { JobRecord } from '../ports/ledger.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { onNext } from '../testing/on-next.ts';
import { accept } from './accept.ts';
import { acceptChild, type Child, type ChildRequest, findChild, joinParent } from './accept-child.ts';
import { storeOriginal } from './accept-request.ts';
import { cancelJob } from './jobs/cancel.ts';
import { currentStep } from './next-jobs.ts';
import { removeDocument } from './remove.ts';
import { childKey, manifestKey, originalKey, outcomeKey, pendingKey } from './stored/blob-keys.ts';
import { readOutcome } from './stored/outcome.ts';

/*
 * A repository's job and one file of it, whose steps are taken one by one: others are at the same, or take away what was
 * just written.
 */

const tenant = 'acme';
const documentId = 'library:tides.md';
const ref = { tenant, documentId, version: 1 };
const garbage = new TextEncoder().encode('{"half":');

let flow: InMemoryFlow;
let parent: StepPayload;
beforeEach(async () => {
  flow = createInMemoryFlow();
  const job = await accept(flow.deps, {
    tenant,
    namespace: 'default',
    documentId: 'library',
    metadata: {},
    priority: 'normal',
    options: {},
    source: { type: 'git', url: 'https://example.org/library.git' },
  });
  parent = currentStep(job).payload as StepPayload;
  flow.queue.take();
});

async function* bytes() {
  yield new TextEncoder().encode('Spring tides follow the moon.');
}

const look = () => findChild(flow.deps, parent, 'tides.md', documentId);

async function bring(child: Child, more: Partial<ChildRequest> = {}): Promise<JobRecord | undefined> {
  return acceptChild(flow.deps, parent, child, {
    title: 'tides.md',
    metadata: {},
    priority: 'normal',
    options: {},
    source: { type: 'upload', filename: 'tides.md' },
    original: await storeOriginal(flow.deps, tenant, bytes(), 1e6),
    ...more,
  });
}

const jobOf = (id: string) => flow.ledger.getJob(tenant, id);
const uploads = () => [...flow.blobs.blobs.keys()].filter((key) => key.startsWith('uploads/'));

test('a file whose document was deleted stays so, also where only its tombstone tells of the job', async () => {
  const child = await look();
  const job = await bring(child);
  const lose = flow.ledger.remember();
  await removeDocument(flow.deps, tenant, documentId);
  lose();
  await flow.ledger.withdrawVersion({ tenant, namespace: 'default' }, documentId, 1, child.jobId);
  const found = await look();
  expect(found).toMatchObject({ jobId: child.jobId, job: { id: job?.id, state: 'cancelled' } });
  // Its parent is cancelled in the same moment: nothing is there that could end with it.
  await cancelJob(flow.deps, tenant, parent.jobId);
  await joinParent(flow.deps, parent, found);
  expect(await jobOf(child.jobId)).toBeUndefined();
});

test('a file that was deleted without a word of its job is brought anew, as another job', async () => {
  const child = await look();
  await bring(child);
  await removeDocument(flow.deps, tenant, documentId);
  onNext(flow.ledger, 'getJob', async () => undefined);
  onNext(
    flow.blobs,
    'get',
    async (call) => {
      const stored = JSON.parse(new TextDecoder().decode(await call()));
      return new TextEncoder().encode(JSON.stringify({ ...stored, jobs: [] }));
    },
    (key) => key.includes('/tombstones/'),
  );
  const again = await look();
  expect(again.jobId).not.toBe(child.jobId);
  expect(await bring(again)).toMatchObject({ version: 2 });
});

test('a file that is deleted while it is accepted is not accepted, and its bytes go', async () => {
  const first = await look();
  await bring(first);
  const child = { ...first, job: undefined };
  const job = await bring(child, {
    writeArtifacts: async () => void (await removeDocument(flow.deps, tenant, documentId)),
  });
  expect(job).toBeUndefined();
  expect(uploads()).toEqual([]);
  expect(await flow.ledger.getDocument(tenant, documentId)).toBeUndefined();
});

test('bytes that vanish while they are accepted are a fault that the next attempt makes good', async () => {
  const child = await look();
  onNext(flow.blobs, 'move', async (_call, from) => {
    await flow.blobs.remove(from);
    throw new MemoryError('not_found', 'The content is not in the blob store.');
  });
  await expect(bring(child)).rejects.toMatchObject({ code: 'internal', retry: { kind: 'backoff' } });
  expect(await bring(await look())).toMatchObject({ id: child.jobId, version: 1 });
  expect(flow.blobs.blobs.has(originalKey(ref))).toBe(true);
});

test('a store that is away while a file is accepted is said to be away', async () => {
  const child = await look();
  onNext(flow.blobs, 'move', () => Promise.reject(new MemoryError('dependency_unavailable', 'The store is away.')));
  await expect(bring(child)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(uploads()).toEqual([]);
});

test('where the ledger refuses a file for good, nobody comes through with it and nothing of it is kept', async () => {
  const child = await look();
  const conflict = new MemoryError('conflict', 'Document library:tides.md belongs to namespace other.');
  onNext(flow.ledger, 'createJob', () => Promise.reject(conflict));
  await expect(bring(child)).rejects.toBe(conflict);
  expect(await readOutcome(flow.blobs, ref)).toMatchObject({ state: 'aborted' });
  expect(flow.blobs.blobs.has(originalKey(ref))).toBe(false);
  // What was taken back stays so, under its own id.
  const again = await look();
  expect(again.jobId).not.toBe(child.jobId);
});

test('where the ledger is only away, the next attempt goes on with what was begun', async () => {
  const child = await look();
  onNext(flow.ledger, 'createJob', () => Promise.reject(new MemoryError('dependency_unavailable', 'It is away.')));
  await expect(bring(child)).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(await readOutcome(flow.blobs, ref)).toBeUndefined();
  const again = await look();
  expect(again).toMatchObject({ jobId: child.jobId, begun: { version: 1 } });
  expect(await bring(again)).toMatchObject({ id: child.jobId });
  expect(flow.blobs.blobs.has(pendingKey(child.jobId))).toBe(true);
});

test('a number that a ledger gave out a second time is left to the job that has it', async () => {
  const child = await look();
  onNext(
    flow.blobs,
    'putIfAbsent',
    async (call) => {
      const other = await flow.ingest('Somebody else has sent the same name.', { documentId });
      expect(other.version).toBe(2);
      await flow.blobs.move(manifestKey({ ...ref, version: 2 }), manifestKey(ref));
      return call();
    },
    (key) => key === manifestKey(ref),
  );
  await expect(bring(child)).rejects.toMatchObject({ code: 'internal', retry: { kind: 'backoff' } });
  expect((await look()).jobId).not.toBe(child.jobId);
});

test('a manifest that goes in the very moment is found gone by the next attempt', async () => {
  const child = await look();
  onNext(
    flow.blobs,
    'putIfAbsent',
    async () => false,
    (key) => key === manifestKey(ref),
  );
  await expect(bring(child)).rejects.toMatchObject({ code: 'internal', retry: { kind: 'backoff' } });
  expect(await bring(await look())).toMatchObject({ id: child.jobId });
});

test('a manifest that cannot be read is a fault, and not taken for none', async () => {
  const child = await look();
  await bring(child);
  await flow.blobs.put(manifestKey(ref), garbage);
  await expect(look()).rejects.toMatchObject({ code: 'internal' });
});

test('a file of a job that is gone with all its records is not accepted', async () => {
  const child = await look();
  onNext(
    flow.blobs,
    'putIfAbsent',
    async () => false,
    (key) => key === childKey(parent, child.jobId),
  );
  await expect(bring(child)).rejects.toMatchObject({ code: 'not_found', message: `Job ${parent.jobId} is gone.` });
});

test('where the repository is tried again, a file that has been replaced since keeps its end', async () => {
  const child = await look();
  await bring(child);
  flow.faults.parse = new MemoryError('corrupt_document', 'It ends early.');
  await flow.drain();
  await flow.ingest('A newer text.', { documentId });
  await flow.drain();
  await joinParent(flow.deps, { ...parent, run: 1 }, await look());
  expect(await jobOf(child.jobId)).toMatchObject({ state: 'failed', run: 0 });
});

test('a file that cannot be tried again since a store is away keeps the repository waiting', async () => {
  const child = await look();
  await bring(child);
  flow.faults.parse = new MemoryError('corrupt_document', 'It ends early.');
  await flow.drain();
  const failed = await look();
  onNext(flow.blobs, 'get', () => Promise.reject(new MemoryError('dependency_unavailable', 'The store is away.')));
  await expect(joinParent(flow.deps, { ...parent, run: 1 }, failed)).rejects.toMatchObject({
    code: 'dependency_unavailable',
  });
  await joinParent(flow.deps, { ...parent, run: 1 }, failed);
  expect(await jobOf(child.jobId)).toMatchObject({ state: 'queued', run: 1 });
  expect(flow.blobs.blobs.has(outcomeKey(ref))).toBe(false);
});
