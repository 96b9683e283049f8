import { beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { abortVersion } from '../abort.ts';
import { firstDeliveryId, newDeliveryId } from '../new-id.ts';
import { documentPrefix, dueCallKey, dueCallsPrefix, owedCallKey } from '../stored/blob-keys.ts';
import { notify } from './notify.ts';
import { oweCall, redeliverWebhooks } from './webhook-outbox.ts';

/*
 * Calls of which a part is lost: the job, its document, the promise of the call, the queue.
 */

const callbackUrl = 'https://example.org/hook';
const scope = { tenant: 'acme', namespace: 'default' };

let flow: InMemoryFlow;
beforeEach(() => {
  flow = createInMemoryFlow();
});

const kept = () => [...flow.blobs.blobs.keys()].filter((key) => key.startsWith('webhooks/'));
const statesCalled = () => flow.calls.map(({ body }) => JSON.parse(body).state);
const redeliver = (tenant?: string) => redeliverWebhooks(flow.deps, { tenant, settleMs: 0 });

/** A job that is to call back, and of which the ledger has lost all. */
async function lostJob() {
  const job = await flow.ingest('The harbour is open.', { callbackUrl });
  await flow.ledger.withdrawVersion(scope, 'notes', 1, job.id);
  flow.queue.take();
  return job;
}

test('a call that was made by another worker is not made again', async () => {
  const job = await flow.ingest('The harbour is open.', { callbackUrl });
  const deliveryId = firstDeliveryId(job.id);
  await notify(flow.deps, { schemaVersion: 1, deliveryId }, { signal: new AbortController().signal });
  expect(flow.calls).toEqual([]);
});

test('an end that owes nothing any more calls nobody', async () => {
  const job = await flow.ingest('The harbour is open.', { callbackUrl });
  await flow.blobs.remove(owedCallKey(firstDeliveryId(job.id)));
  await flow.drain();
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
  expect(flow.calls).toEqual([]);
  expect(kept()).toEqual([]);
});

test('a call that the queue does not take is made later, and the job has ended all the same', async () => {
  const job = await flow.ingest('The harbour is open.', { callbackUrl });
  onNext(
    flow.queue,
    'add',
    () => Promise.reject(new MemoryError('dependency_unavailable', 'The queue is away.')),
    ([first]) => first?.name === 'notify',
  );
  await flow.drain();
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
  expect(flow.calls).toEqual([]);
  await redeliver();
  await flow.drain();
  expect(statesCalled()).toEqual(['succeeded']);
});

test('a fault of ours says nothing of the receiver, and the call is tried again', async () => {
  const job = await flow.ingest('The harbour is open.', { callbackUrl });
  const fault = new MemoryError('internal', 'The resolver of names died.');
  flow.faults.webhook = fault;
  for (let step = 0; step < 3; step += 1) await flow.runNext();
  await expect(flow.runNext()).rejects.toBe(fault);
  expect(kept()).toEqual([dueCallKey(firstDeliveryId(job.id))]);
  flow.faults.webhook = 200;
  await flow.drain();
  expect(statesCalled()).toEqual(['succeeded', 'succeeded']);
});

test('of one tenant only its own calls are looked at, and none that may be under way or is taken back', async () => {
  await flow.ingest('The harbour is open.', { callbackUrl });
  flow.queue.take();
  await flow.ledger.updateJob('acme', (await flow.ledger.openJobs(1))[0]?.jobId ?? '', (job) => ({
    ...job,
    state: 'cancelled',
  }));
  expect(await redeliver('umbrella')).toBe(0);
  expect(await redeliverWebhooks(flow.deps)).toBe(0);
  onNext(flow.blobs, 'get', async () => undefined);
  expect(await redeliver('acme')).toBe(0);
  expect(await redeliver('acme')).toBe(1);
  await flow.drain();
  expect(statesCalled()).toEqual(['cancelled']);
});

test('a record that cannot be read keeps no other call from being made; a store that is away does', async () => {
  await flow.blobs.put(owedCallKey('del_00000000000000000000000000'), new TextEncoder().encode('half'));
  await flow.ingest('The harbour is open.', { callbackUrl });
  const away = () => Promise.reject(new MemoryError('dependency_unavailable', 'It is away.'));
  const isDue = (key: string) => key.startsWith(dueCallsPrefix);
  onNext(flow.blobs, 'putIfAbsent', away, isDue);
  await flow.drain();
  onNext(flow.blobs, 'putIfAbsent', away, isDue);
  await expect(redeliver()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(await redeliver()).toBe(1);
  await flow.drain();
  expect(statesCalled()).toEqual(['succeeded']);
});

test('a call of a request that was given up is owed to nobody', async () => {
  const job = await flow.ingest('The harbour is open.', { callbackUrl });
  await abortVersion(flow.deps, { ...job, jobId: job.id });
  expect(kept()).toHaveLength(1);
  expect(await redeliver()).toBe(0);
  expect(kept()).toEqual([]);
});

test('a job that the ledger has lost is waited for while it may come back, and as long as it has not ended', async () => {
  await lostJob();
  expect(await redeliver()).toBe(0);
  flow.ahead += 11 * 60_000;
  expect(await redeliver()).toBe(0);
  expect(kept()).toHaveLength(1);
});

test('a job that nobody knows any more calls nobody, and that is said', async () => {
  const { id } = await lostJob();
  await flow.blobs.removePrefix(documentPrefix('acme', 'notes'));
  flow.ahead += 11 * 60_000;
  const said: unknown[] = [];
  Object.assign(flow.deps, {
    logger: { ...flow.deps.logger, warn: (_message: string, fields: object) => void said.push(fields) },
  });
  expect(await redeliver()).toBe(0);
  expect(said).toEqual([{ jobId: id }]);
  expect(kept()).toEqual([]);
});

test('many calls that are due are handed out, all of them, some hundred at a time', async () => {
  for (let number = 0; number < 501; number += 1)
    await flow.blobs.put(dueCallKey(newDeliveryId()), new TextEncoder().encode('{}'));
  const { add } = flow.queue;
  const sizes: number[] = [];
  flow.queue.add = async (jobs) => {
    sizes.push(jobs.length);
    return add(jobs);
  };
  await redeliver();
  expect(sizes).toEqual([500, 1]);
  expect(flow.queue.waiting).toHaveLength(501);
});

test('a call is owed once, whoever says so again', async () => {
  const job = await flow.ingest('The harbour is open.', { callbackUrl });
  const deliveryId = firstDeliveryId(job.id);
  await oweCall(flow.deps, { ...job, jobId: job.id }, { deliveryId, callbackUrl: 'https://example.org/other' });
  await flow.drain();
  expect(flow.calls.map(({ url }) => url)).toEqual([callbackUrl]);
});
