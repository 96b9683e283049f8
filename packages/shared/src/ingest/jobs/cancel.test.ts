import { expect, test } from '@jest/globals';
import { createInMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { accept } from '../accept.ts';
import { storeOriginal } from '../accept-request.ts';
import { newJobId } from '../new-id.ts';
import { reconcile } from '../recovery/reconcile.ts';
import { originalKey } from '../stored/blob-keys.ts';
import { cancelJob } from './cancel.ts';
import { retryJob } from './retry.ts';

const request = { tenant: 'acme', namespace: 'default', metadata: {}, priority: 'normal', options: {} } as const;

test('a job that nobody knows cannot be cancelled', async () => {
  const flow = createInMemoryFlow();
  await expect(cancelJob(flow.deps, 'acme', 'job_00000000000000000000000000')).rejects.toMatchObject({
    code: 'not_found',
  });
});

test('a job that is taken back in the very moment is not there any more', async () => {
  const flow = createInMemoryFlow();
  const { id } = await flow.ingest('The harbour is open.');
  onNext(flow.ledger, 'updateJob', async (call) => {
    await flow.ledger.withdrawVersion({ tenant: 'acme', namespace: 'default' }, 'notes', 1, id);
    return call();
  });
  await expect(cancelJob(flow.deps, 'acme', id)).rejects.toMatchObject({ code: 'not_found' });
});

test('with an import its archive goes, which nobody will read', async () => {
  const flow = createInMemoryFlow();
  const archive = (async function* () {
    yield new TextEncoder().encode('an archive');
  })();
  const job = await accept(flow.deps, {
    ...request,
    documentId: 'namespace:default',
    source: { type: 'import' },
    original: await storeOriginal(flow.deps, 'acme', archive, 1e6),
  });
  const key = originalKey({ tenant: 'acme', documentId: 'namespace:default', version: 1 });
  expect(flow.blobs.blobs.has(key)).toBe(true);
  expect(await cancelJob(flow.deps, 'acme', job.id)).toMatchObject({ state: 'cancelled' });
  expect(flow.blobs.blobs.has(key)).toBe(false);
});

test('with a repository end those of its documents that are on their way, and no others', async () => {
  const flow = createInMemoryFlow();
  const source = { type: 'git', url: 'https://example.org/library.git' } as const;
  const parent = await accept(flow.deps, { ...request, documentId: 'library', source });
  flow.queue.take();
  const ended = await flow.ingest('The text of one.', { documentId: 'one', parentJobId: parent.id });
  await flow.drain();
  const open = await flow.ingest('The text of two.', { documentId: 'two', parentJobId: parent.id });
  for (const { id } of [ended, open]) await flow.ledger.addChild('acme', parent.id, id);
  await cancelJob(flow.deps, 'acme', parent.id);
  expect(await flow.ledger.getJob('acme', ended.id)).toMatchObject({ state: 'succeeded' });
  expect(await flow.ledger.getJob('acme', open.id)).toMatchObject({
    state: 'cancelled',
    error: { message: `The job ${parent.id} that brought it was cancelled.` },
  });
});

test('what a cancel had not ended of a repository when its process was killed ends all the same, but for what was retried', async () => {
  const flow = createInMemoryFlow();
  const source = { type: 'git', url: 'https://example.org/library.git' } as const;
  const parent = await accept(flow.deps, { ...request, documentId: 'library', source });
  const [open, retried, alone] = [
    await flow.ingest('The text of one.', { documentId: 'one', parentJobId: parent.id }),
    await flow.ingest('The text of two.', { documentId: 'two', parentJobId: parent.id }),
    await flow.ingest('The text of three.', { documentId: 'three', parentJobId: newJobId() }),
  ];
  while (flow.queue.take()) {}
  await cancelJob(flow.deps, 'acme', retried.id);
  for (const { id } of [open, retried]) await flow.ledger.addChild('acme', parent.id, id);
  onNext(flow.ledger, 'children', () => Promise.reject(new Error('The process is killed.')));
  await expect(cancelJob(flow.deps, 'acme', parent.id)).rejects.toThrow('is killed');
  await retryJob(flow.deps, 'acme', retried.id);
  while (flow.queue.take()) {}
  expect(await reconcile(flow.deps)).toMatchObject({ drift: { end_unrecorded: 1 } });
  expect(await flow.ledger.getJob('acme', open.id)).toMatchObject({
    state: 'cancelled',
    error: { message: `The job ${parent.id} that brought it was cancelled.` },
  });
  for (const { id } of [retried, alone])
    expect(await flow.ledger.getJob('acme', id)).toMatchObject({ state: 'queued' });
});
