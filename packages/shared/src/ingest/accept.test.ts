import { afterEach, expect, jest, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { onNext } from '../testing/on-next.ts';
import { reconcile } from './recovery/reconcile.ts';
import { documentPrefix, pendingPrefix } from './stored/blob-keys.ts';
import { patchDocument } from './versions/patch-document.ts';
import { readText } from './versions/read-document.ts';

const away = () => new MemoryError('dependency_unavailable', 'The ledger does not answer.');
const keysBelow = (flow: InMemoryFlow, prefix: string) =>
  [...flow.blobs.blobs.keys()].filter((key) => key.startsWith(prefix));

afterEach(() => {
  jest.useRealTimers();
});

test('a version that was ingested before its request was told of a fault keeps its bytes', async () => {
  const flow = createInMemoryFlow();
  // The call takes effect, and its answer is lost; the reconciler hands the job out meanwhile.
  onNext(flow.ledger, 'createJob', async (call) => {
    await call();
    flow.ahead += 120_000;
    await reconcile(flow.deps);
    await flow.drain();
    throw away();
  });
  await expect(flow.ingest('The harbour is open.')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ activeVersion: 1 });
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('The harbour is open.');
  expect(keysBelow(flow, documentPrefix('acme', 'notes')).some((key) => key.endsWith('/original'))).toBe(true);
});

test('where the ledger is away for longer, what it heard of a request that was refused is taken out later', async () => {
  const flow = createInMemoryFlow();
  onNext(flow.ledger, 'createJob', async (call) => {
    await call();
    throw away();
  });
  onNext(flow.ledger, 'withdrawVersion', () => Promise.reject(away()));
  await expect(flow.ingest('The harbour is open.')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ latestVersion: 1 });
  flow.ahead += 15 * 60_000;
  expect(await reconcile(flow.deps)).toMatchObject({ drift: { aborted_left: 1 } });
  expect(await flow.ledger.getDocument('acme', 'notes')).toBeUndefined();
  expect(keysBelow(flow, pendingPrefix)).toEqual([]);
  expect(flow.queue.waiting).toEqual([]);
});

test('jobs that a queue did not take are handed out as soon as it does', async () => {
  const flow = createInMemoryFlow();
  jest.useFakeTimers();
  flow.queue.unavailable = true;
  const { id } = await flow.ingest('The harbour is open.');
  await jest.advanceTimersByTimeAsync(1000);
  expect(flow.queue.waiting).toEqual([]);
  flow.queue.unavailable = false;
  await jest.advanceTimersByTimeAsync(1000);
  expect(flow.queue.waiting).toMatchObject([{ name: 'parse', payload: { jobId: id } }]);
});

test('a ledger that has lost its last writes gives no version number a second time', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The first text.');
  await flow.drain();
  const lose = flow.ledger.remember();
  await flow.ingest('The second text.');
  await patchDocument(flow.deps, 'acme', 'notes', { title: 'Notes' });
  lose();
  expect(await flow.ingest('The third text.')).toMatchObject({ version: 3 });
});

test('what cannot be accepted is refused, also where it cannot even be taken back', async () => {
  const flow = createInMemoryFlow();
  onNext(flow.blobs, 'copy', async () => {
    flow.blobs.unavailable = true;
    throw new MemoryError('dependency_unavailable', 'The disk is full.');
  });
  await expect(flow.ingest('The harbour is open.')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  flow.blobs.unavailable = false;
  expect(await flow.ledger.openJobs(10)).toEqual([]);
  // Whatever is left of it is no version: the next one is accepted and ingested as ever.
  await flow.ingest('The harbour is open.');
  await flow.drain();
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('The harbour is open.');
});
