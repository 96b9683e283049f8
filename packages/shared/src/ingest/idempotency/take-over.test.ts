import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { type AcceptRequest, storeOriginal } from '../accept-request.ts';
import { documentPrefix, idempotencyPrefix, pendingPrefix } from '../stored/blob-keys.ts';
import { acceptOnce } from './accept-once.ts';

/*
 * A request with a key whose process dies, and the next one with that key, which finds what the first has left.
 */

const page = { type: 'url', url: 'https://example.org/tides.txt' } as const;
const request: AcceptRequest = {
  ...{ tenant: 'acme', namespace: 'default', documentId: 'notes', metadata: {}, priority: 'normal', options: {} },
  source: page,
};

const send = (flow: InMemoryFlow, more: Partial<AcceptRequest> = {}) =>
  acceptOnce(flow.deps, { ...request, ...more }, { key: 'k1', fingerprint: 'same' });

async function upload(flow: InMemoryFlow): Promise<Partial<AcceptRequest>> {
  const text = (async function* () {
    yield new TextEncoder().encode('The harbour is open.');
  })();
  return { source: { type: 'upload' }, original: await storeOriginal(flow.deps, 'acme', text, 1000) };
}

/** Lets a request run until it is at a call, and there its process dies. */
async function dieAt<Port extends 'ledger' | 'blobs'>(
  flow: InMemoryFlow,
  port: Port,
  method: keyof InMemoryFlow[Port],
  more: Partial<AcceptRequest> = {},
  isMeant: (...args: never[]) => boolean = () => true,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const never = () => {
    resolve();
    return new Promise(() => {});
  };
  onNext(flow[port], method, never as never, isMeant as never);
  void send(flow, more);
  await promise;
  flow.ahead += 61_000;
}

const keysBelow = (flow: InMemoryFlow, prefix: string) =>
  [...flow.blobs.blobs.keys()].filter((key) => key.startsWith(prefix));

test('a request without bytes of its own is taken over as well', async () => {
  const flow = createInMemoryFlow();
  await dieAt(flow, 'ledger', 'reserveVersion');
  const job = await send(flow);
  expect(job).toMatchObject({ documentId: 'notes', sourceType: 'url', version: 1 });
  expect((await send(flow)).id).toBe(job.id);
});

test('one that has ended, and that the ledger has forgotten, is known again by its key', async () => {
  const flow = createInMemoryFlow();
  const lose = flow.ledger.remember();
  const first = await send(flow);
  await flow.drain();
  lose();
  flow.ahead += 61_000;
  expect(await send(flow)).toMatchObject({ id: first.id, state: 'failed', error: { code: 'fetch_failed' } });
});

test('what was taken back stays so: whoever comes after it gets a job of another id', async () => {
  const flow = createInMemoryFlow();
  const away = new MemoryError('dependency_unavailable', 'The ledger does not answer.');
  onNext(flow.ledger, 'createJob', () => Promise.reject(away));
  // Dead before the key is free again.
  await dieAt(flow, 'blobs', 'remove', {}, ((key: string) => key.startsWith(idempotencyPrefix)) as never);
  const [marker = ''] = keysBelow(flow, pendingPrefix);
  const job = await send(flow, await upload(flow));
  expect(marker).not.toContain(job.id);
  expect(job).toMatchObject({ documentId: 'notes', version: 2 });
  expect((await send(flow)).id).toBe(job.id);
  await flow.drain();
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
});

test('what a dead request has begun is found among the other versions of its document', async () => {
  const flow = createInMemoryFlow();
  const before = await flow.ingest('The harbour is shut.');
  await flow.drain();
  // Between the manifest and its marker.
  await dieAt(flow, 'blobs', 'copy');
  const job = await send(flow);
  expect(job).toMatchObject({ version: 2, sourceType: 'url' });
  expect(job.id).not.toBe(before.id);
  expect(await flow.ledger.getDocument('acme', 'notes')).toMatchObject({ latestVersion: 2 });
});

test.each([false, true])(
  'where only the marker is left of what a dead request had begun, whoever comes after it is a request like any other (with bytes: %s)',
  async (hasBytes) => {
    const flow = createInMemoryFlow();
    await dieAt(flow, 'ledger', 'createJob');
    await flow.blobs.removePrefix(documentPrefix('acme', 'notes'));
    const [marker = ''] = keysBelow(flow, pendingPrefix);
    expect(marker).not.toBe('');
    const job = await send(flow, hasBytes ? await upload(flow) : {});
    expect(job).toMatchObject({ documentId: 'notes', state: 'queued' });
    // Whoever removes the leftover marker ends its job with it.
    expect(marker).not.toContain(job.id);
    expect((await send(flow)).id).toBe(job.id);
    await flow.drain();
    const { items } = await flow.ledger.listJobs('acme', { limit: 9 });
    expect(items.map(({ id }) => id)).toEqual([job.id]);
  },
);

test('a marker whose number is another job’s by now leads nobody to that job', async () => {
  const flow = createInMemoryFlow();
  const lose = flow.ledger.remember();
  await dieAt(flow, 'ledger', 'createJob');
  await flow.blobs.removePrefix(documentPrefix('acme', 'notes'));
  lose();
  const other = await flow.ingest('The harbour is open.');
  const job = await send(flow);
  expect(other).toMatchObject({ documentId: 'notes', version: 1 });
  expect(job).toMatchObject({ documentId: 'notes', version: 2, sourceType: 'url' });
});

test('a document that vanishes while its request is taken over is a fault of ours, and the key is free again', async () => {
  const flow = createInMemoryFlow();
  await dieAt(flow, 'ledger', 'createJob');
  onNext(flow.blobs, 'copy', async (call) => {
    await call();
    await flow.blobs.removePrefix(documentPrefix('acme', 'notes'));
    await flow.blobs.removePrefix(pendingPrefix);
  });
  await expect(send(flow)).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('cannot be found again'),
  });
  expect(await send(flow)).toMatchObject({ documentId: 'notes' });
});
