import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { type AcceptRequest, discardOriginal, storeOriginal } from '../accept-request.ts';
import { idempotencyKey, idempotencyPrefix, uploadsPrefix } from '../stored/blob-keys.ts';
import { acceptOnce } from './accept-once.ts';
import { expireIdempotency } from './expire-idempotency.ts';

async function* bytesOf(text: string) {
  yield Buffer.from(text);
}

/** Sends a text under the key `k1`. */
async function send(flow: InMemoryFlow, change: Partial<AcceptRequest> & { fingerprint?: string } = {}) {
  const { fingerprint = 'same', ...fields } = change;
  const original = await storeOriginal(flow.deps, 'acme', bytesOf('The harbour is open.'), 1000);
  const request: AcceptRequest = {
    tenant: 'acme',
    namespace: 'default',
    metadata: {},
    priority: 'normal',
    options: {},
    source: { type: 'upload' },
    original,
    ...fields,
  };
  try {
    return await acceptOnce(flow.deps, request, { key: 'k1', fingerprint });
  } catch (error) {
    // As the API does: nothing will claim the bytes.
    await discardOriginal(flow.deps, original);
    throw error;
  }
}

const listed = async (flow: InMemoryFlow) => (await flow.ledger.listJobs('acme', { limit: 100 })).items;
const keysBelow = async (flow: InMemoryFlow, prefix: string) => {
  const keys: string[] = [];
  for await (const found of flow.blobs.list(prefix)) keys.push(found);
  return keys;
};

/** Lets the next accept run until it calls `method` of a port, and there its process dies. */
async function dieAt(flow: InMemoryFlow, port: 'ledger' | 'blobs', method: string): Promise<void> {
  const target = flow[port] as unknown as Record<string, unknown>;
  const before = target[method];
  const reached = Promise.withResolvers<void>();
  target[method] = () => {
    reached.resolve();
    return new Promise(() => {});
  };
  void send(flow);
  await reached.promise;
  target[method] = before;
}

const places: ['ledger' | 'blobs', string, string][] = [
  ['ledger', 'reserveVersion', 'before anything was written'],
  ['blobs', 'copy', 'between manifest and marker'],
  ['ledger', 'createJob', 'between blob store and ledger'],
];

test.each(places)(
  'a process that dies at %s.%s (%s) leaves a key that works again, and one job',
  async (port, method) => {
    const flow = createInMemoryFlow();
    await dieAt(flow, port, method);
    await expect(send(flow)).rejects.toMatchObject({ code: 'conflict', retry: { kind: 'wait', afterMs: 1000 } });
    flow.ahead = 61_000;
    const results = await Promise.all(Array.from({ length: 20 }, () => send(flow)));
    expect(new Set(results.map((job) => job.id)).size).toBe(1);
    expect(await listed(flow)).toHaveLength(1);
    await flow.drain();
    expect(await listed(flow)).toMatchObject([{ state: 'succeeded' }]);
    const { items } = await flow.ledger.listDocuments('acme', { limit: 10 });
    expect(items).toHaveLength(1);
    // One manifest, and no bytes that nobody claims, not even those of the process that died.
    const manifests = (await keysBelow(flow, 'tenants/')).filter((name) => name.endsWith('manifest.json'));
    expect(manifests).toHaveLength(1);
    expect(await keysBelow(flow, uploadsPrefix)).toEqual([]);
    await expect(send(flow, { fingerprint: 'other' })).rejects.toMatchObject({ code: 'unprocessable' });
  },
  20_000,
);

/** Holds the next call of `method` of a port up until it is let go on; then it runs, or fails. */
function freezeAt(flow: InMemoryFlow, port: 'ledger' | 'blobs', method: string, failure?: Error) {
  const target = flow[port] as unknown as Record<string, (...args: unknown[]) => unknown>;
  const before = target[method]!;
  const [frozen, thawed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  target[method] = async (...args) => {
    target[method] = before;
    frozen.resolve();
    await thawed.promise;
    if (failure) throw failure;
    return before.apply(target, args);
  };
  return { frozen: frozen.promise, thaw: () => thawed.resolve() };
}

const away = new MemoryError('dependency_unavailable', 'The ledger does not answer.');

test.each([
  ['ledger', 'reserveVersion', 'before it had a version', undefined],
  ['blobs', 'move', 'with its bytes not in their place', undefined],
  ['ledger', 'createJob', 'before the ledger', undefined],
  ['ledger', 'createJob', 'and hears that the ledger is away', away],
] as const)(
  'a process that was taken for dead at %s.%s (%s), and wakes after another took its place, adds and takes away nothing',
  async (port, method, _, failure) => {
    const flow = createInMemoryFlow();
    const { frozen, thaw } = freezeAt(flow, port, method, failure);
    const first = send(flow);
    await frozen;
    flow.ahead = 61_000;
    const second = await send(flow);
    thaw();
    expect((await first).id).toBe(second.id);
    await flow.drain();
    expect(await listed(flow)).toMatchObject([{ id: second.id, state: 'succeeded' }]);
    const manifests = (await keysBelow(flow, 'tenants/')).filter((name) => name.endsWith('manifest.json'));
    expect(manifests).toHaveLength(1);
    expect(await keysBelow(flow, uploadsPrefix)).toEqual([]);
    expect((await send(flow)).id).toBe(second.id);
  },
);

test('a request repeated after its process died before the queue hands the job out at once', async () => {
  const flow = createInMemoryFlow();
  const { add } = flow.queue;
  const reached = Promise.withResolvers<void>();
  flow.queue.add = () => {
    reached.resolve();
    return new Promise(() => {});
  };
  void send(flow);
  await reached.promise;
  flow.queue.add = add;
  expect(flow.queue.waiting).toEqual([]);
  expect(await send(flow)).toMatchObject({ state: 'queued' });
  await flow.drain();
  expect(await listed(flow)).toMatchObject([{ state: 'succeeded' }]);
});

test('a ledger that has forgotten the job finds it again by its key', async () => {
  const flow = createInMemoryFlow();
  const first = await send(flow);
  await flow.drain();
  const other = createInMemoryFlow();
  const deps = { ...other.deps, blobs: flow.blobs, clock: { now: () => Date.now() + 120_000 } };
  const again = await send({ ...other, deps, blobs: flow.blobs });
  expect(again).toMatchObject({ id: first.id, state: 'succeeded' });
});

test('an accept that was refused frees its key, also for the one who waits for it', async () => {
  const flow = createInMemoryFlow();
  const { createJob } = flow.ledger;
  const reached = Promise.withResolvers<void>();
  const refuse = Promise.withResolvers<void>();
  flow.ledger.createJob = async () => {
    flow.ledger.createJob = createJob;
    reached.resolve();
    await refuse.promise;
    throw new Error('refused');
  };
  const first = send(flow);
  await reached.promise;
  const second = send(flow);
  refuse.resolve();
  await expect(first).rejects.toMatchObject({ code: 'internal' });
  expect(await second).toMatchObject({ state: 'queued' });
  expect(await listed(flow)).toHaveLength(1);
});

test('a record that cannot be read keeps none of the others from being forgotten', async () => {
  const flow = createInMemoryFlow();
  const damaged = idempotencyKey('acme', 'k0', 0);
  await flow.blobs.put(damaged, Buffer.from('half'));
  await send(flow);
  flow.ahead = 25 * 3_600_000;
  expect(await expireIdempotency(flow.deps)).toBe(1);
  expect((await keysBelow(flow, idempotencyPrefix)).filter((name) => !name.includes('expired'))).toEqual([damaged]);
  flow.ahead = 49 * 3_600_000;
  flow.blobs.get = () => Promise.reject(new MemoryError('dependency_unavailable', 'It is away.'));
  await expect(expireIdempotency(flow.deps)).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test('a key is remembered for a day at least, and forgotten later', async () => {
  const flow = createInMemoryFlow();
  const first = await send(flow);
  const remembered = async () => (await keysBelow(flow, idempotencyPrefix)).filter((name) => !name.includes('expired'));
  flow.ahead = 23 * 3_600_000;
  expect(await expireIdempotency(flow.deps)).toBe(0);
  expect(await send(flow)).toMatchObject({ id: first.id });
  // Once a day is enough, whoever asks.
  expect(await expireIdempotency(flow.deps)).toBe(0);
  flow.ahead = 49 * 3_600_000;
  expect(await expireIdempotency(flow.deps)).toBe(2);
  expect(await remembered()).toEqual([]);
  expect((await send(flow)).id).not.toBe(first.id);
});
