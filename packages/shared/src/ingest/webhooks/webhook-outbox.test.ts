import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow, webhookSecret } from '../../testing/in-memory-flow.ts';
import { accept, acceptRejected } from '../accept.ts';
import { cancelJob } from '../jobs/cancel.ts';
import { retryJob } from '../jobs/retry.ts';
import { reconcile } from '../recovery/reconcile.ts';
import { removeDocument } from '../remove.ts';
import { notify } from './notify.ts';
import { redeliverWebhooks } from './webhook-outbox.ts';

const callbackUrl = 'https://example.org/hook';
const keysOf = async (flow: InMemoryFlow) => {
  const keys: string[] = [];
  for await (const key of flow.blobs.list('webhooks/')) keys.push(key);
  return keys;
};
const kept = async (flow: InMemoryFlow) => (await keysOf(flow)).map((key) => key.split('/')[1]);
const statesCalled = (flow: InMemoryFlow) => flow.calls.map((call) => JSON.parse(call.body).state);
const idOf = (flow: InMemoryFlow, index: number) => flow.calls[index]?.headers['X-Semantic-Memory-Delivery'];
/** Runs the next attempt at a call, which is expected to be put off. @returns for how long */
const putOff = async (flow: InMemoryFlow): Promise<number> => {
  const error = await flow.runNext().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof MemoryError) || error.retry.kind !== 'wait') throw new Error('the call was not put off');
  return error.retry.afterMs;
};

test('the job is called with as the API shows it, signed, once, and nothing is kept', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('The harbour is open.', { callbackUrl });
  expect(await kept(flow)).toEqual(['owed']);
  await flow.drain();
  const [call] = flow.calls;
  expect(flow.calls).toHaveLength(1);
  expect(call).toMatchObject({ url: callbackUrl, headers: { 'content-type': 'application/json' } });
  const body = JSON.parse(call?.body ?? '');
  expect(body).toMatchObject({ id: job.id, state: 'succeeded', progress: 1, links: { self: expect.any(String) } });
  for (const internal of ['tenant', 'run', 'deliveryId', 'priority']) expect(body).not.toHaveProperty(internal);
  const [, seconds, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(call?.headers['X-Semantic-Memory-Signature'] ?? '') ?? [];
  expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(10);
  expect(hex).toBe(createHmac('sha256', webhookSecret).update(`${seconds}.${call?.body}`).digest('hex'));
  expect(await kept(flow)).toEqual([]);
  expect(await redeliverWebhooks(flow.deps, { settleMs: 0 })).toBe(0);
  expect(flow.queue.waiting).toEqual([]);
});

test('a job without a callbackUrl writes nothing for webhooks and calls nobody', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  expect(await kept(flow)).toEqual([]);
  await flow.drain();
  expect(flow.calls).toEqual([]);
});

test('failed, cancelled and deleted documents are ends like others', async () => {
  const flow = createInMemoryFlow();
  flow.faults.parse = new MemoryError('corrupt_document', 'It is broken.');
  await flow.ingest('x', { callbackUrl, documentId: 'broken' });
  await flow.drain();
  const cancelled = await flow.ingest('x', { callbackUrl, documentId: 'cancelled' });
  await cancelJob(flow.deps, 'acme', cancelled.id);
  await flow.drain();
  await flow.ingest('x', { callbackUrl, documentId: 'deleted' });
  await removeDocument(flow.deps, 'acme', 'deleted');
  await flow.drain();
  expect(statesCalled(flow)).toEqual(['failed', 'cancelled', 'cancelled']);
  expect(JSON.parse(flow.calls[0]?.body ?? '')).toMatchObject({ error: { code: 'corrupt_document' } });
  expect(await kept(flow)).toEqual([]);
});

test('an item of a batch that was refused is told of too', async () => {
  const flow = createInMemoryFlow();
  const request = { tenant: 'acme', namespace: 'default', metadata: {}, priority: 'normal' as const, options: {} };
  const job = await acceptRejected(
    flow.deps,
    { ...request, callbackUrl, source: { type: 'upload' } },
    new MemoryError('too_large', 'It is too large.'),
  );
  expect(job).toMatchObject({ state: 'failed', error: { code: 'too_large' } });
  await flow.drain();
  expect(statesCalled(flow)).toEqual(['failed']);
});

test('every attempt sends the same body and id; the wait grows with the age of the call', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { callbackUrl });
  for (let step = 0; step < 3; step += 1) await flow.runNext();
  flow.faults.webhook = 503;
  expect(await putOff(flow)).toBe(1000);
  flow.ahead = 8000;
  flow.faults.webhook = new MemoryError('fetch_failed', 'The receiver cannot be reached.');
  expect(await putOff(flow)).toBeGreaterThanOrEqual(8000);
  flow.ahead = 20_000;
  flow.faults.webhook = 302;
  expect(await putOff(flow)).toBeGreaterThanOrEqual(20_000);
  flow.faults.webhook = 204;
  await flow.drain();
  expect(flow.calls).toHaveLength(4);
  expect(new Set(flow.calls.map((call) => call.body)).size).toBe(1);
  expect(new Set(flow.calls.map((call) => call.headers['X-Semantic-Memory-Delivery'])).size).toBe(1);
  // Each attempt is signed at its own time.
  expect(flow.calls[0]?.headers['X-Semantic-Memory-Signature']).not.toBe(
    flow.calls[3]?.headers['X-Semantic-Memory-Signature'],
  );
  expect(await kept(flow)).toEqual([]);
});

test.each([
  ['answers 410', 410, 'refused'],
  ['has an address that may not be called', new MemoryError('fetch_forbidden', 'No.'), 'refused'],
])('a receiver that %s is not called again', async (_what, answer, outcome) => {
  const flow = createInMemoryFlow();
  const outcomes: string[] = [];
  const deps = { ...flow.deps.metrics, webhookAttempt: (how: string) => outcomes.push(how) };
  Object.assign(flow.deps.metrics, deps);
  flow.faults.webhook = answer;
  await flow.ingest('The harbour is open.', { callbackUrl });
  await flow.drain();
  expect(flow.calls).toHaveLength(1);
  expect(outcomes).toEqual([outcome]);
  expect(await kept(flow)).toEqual([]);
});

test('a receiver that stays away is given up after the time allowed', async () => {
  const flow = createInMemoryFlow();
  flow.faults.webhook = 500;
  await flow.ingest('The harbour is open.', { callbackUrl });
  for (let step = 0; step < 3; step += 1) await flow.runNext();
  await putOff(flow);
  flow.ahead = 60_001;
  await flow.drain();
  expect(flow.calls).toHaveLength(2);
  expect(await kept(flow)).toEqual([]);
});

test('a retry calls again at its end, with an id of its own, and what the first end owed is told as it was', async () => {
  const flow = createInMemoryFlow();
  flow.faults.parse = new MemoryError('corrupt_document', 'It is broken.');
  flow.faults.webhook = 500;
  const job = await flow.ingest('The harbour is open.', { callbackUrl });
  await flow.runNext();
  await putOff(flow);
  await retryJob(flow.deps, 'acme', job.id);
  flow.faults.webhook = undefined;
  await flow.drain();
  expect(statesCalled(flow)).toEqual(['failed', 'failed', 'succeeded']);
  expect(idOf(flow, 0)).toBe(idOf(flow, 1));
  expect(idOf(flow, 2)).not.toBe(idOf(flow, 1));
  expect(await kept(flow)).toEqual([]);
});

test('a retry that comes before the first end was announced does not lose its call', async () => {
  const flow = createInMemoryFlow();
  flow.faults.parse = new MemoryError('corrupt_document', 'It is broken.');
  const job = await flow.ingest('The harbour is open.', { callbackUrl });
  const [owedKey = ''] = await keysOf(flow);
  const owed = (await flow.blobs.get(owedKey)) ?? new Uint8Array();
  await flow.runNext();
  // As if the process had died after the ledger's end and before the outbox's.
  flow.queue.take();
  await flow.blobs.removePrefix('webhooks/');
  await flow.blobs.put(owedKey, owed);
  await retryJob(flow.deps, 'acme', job.id);
  flow.ahead = 120_000;
  await reconcile(flow.deps);
  await flow.drain();
  expect(statesCalled(flow).toSorted()).toEqual(['failed', 'succeeded']);
});

test.each(['before the end was announced', 'after it', 'with the ledger emptied too'])(
  'a queue that lost the call %s gets it again from the blob store',
  async (when) => {
    const flow = createInMemoryFlow();
    const job = await flow.ingest('The harbour is open.', { callbackUrl });
    const [owedKey = ''] = await keysOf(flow);
    const owed = (await flow.blobs.get(owedKey)) ?? new Uint8Array();
    for (let step = 0; step < 3; step += 1) await flow.runNext();
    expect(flow.queue.take()?.name).toBe('notify');
    if (when !== 'after it') {
      await flow.blobs.removePrefix('webhooks/');
      await flow.blobs.put(owedKey, owed);
    }
    flow.ahead = 3_600_000;
    const deps =
      when === 'with the ledger emptied too'
        ? { ...flow.deps, ledger: { ...flow.ledger, getJob: async () => undefined } }
        : flow.deps;
    expect(await redeliverWebhooks(deps)).toBe(when === 'after it' ? 0 : 1);
    await flow.drain();
    expect(flow.calls).toHaveLength(1);
    expect(JSON.parse(flow.calls[0]?.body ?? '')).toMatchObject({ id: job.id, state: 'succeeded' });
    expect(await kept(flow)).toEqual([]);
  },
);

test('a job that has not ended, or whose request was never accepted, is not told of', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { callbackUrl });
  expect(await redeliverWebhooks(flow.deps, { settleMs: 0 })).toBe(0);
  expect(await kept(flow)).toEqual(['owed']);
  const refused = createInMemoryFlow();
  const broken = {
    ...refused.deps,
    embeddingModel: 'any',
    ledger: { ...refused.ledger, createJob: () => Promise.reject(new MemoryError('dependency_unavailable', 'Away.')) },
  };
  const request = { tenant: 'acme', namespace: 'default', metadata: {}, priority: 'normal' as const, options: {} };
  const accepting = accept(broken, { ...request, callbackUrl, source: { type: 'url', url: 'https://example.org/' } });
  await expect(accepting).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(await kept(refused)).toEqual([]);
});

test('without a secret the call waits, and is made once there is one', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { callbackUrl });
  for (let step = 0; step < 3; step += 1) await flow.runNext();
  const job = flow.queue.take();
  if (job?.name !== 'notify') throw new Error('no call is queued');
  const without = { ...flow.deps, webhooks: { ...flow.deps.webhooks, secret: undefined } };
  const signal = new AbortController().signal;
  await expect(notify(without, job.payload, { signal })).rejects.toMatchObject({ retry: { kind: 'wait' } });
  expect(flow.calls).toEqual([]);
  await notify(flow.deps, job.payload, { signal });
  expect(statesCalled(flow)).toEqual(['succeeded']);
});
