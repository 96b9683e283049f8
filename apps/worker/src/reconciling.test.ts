import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { createInMemoryFlow, type InMemoryFlow } from '@semantic-memory/shared/testing/in-memory-flow';
import { reconcileFor, startReconciling } from './reconciling.ts';

const lines: string[] = [];
const logger: Logger = {
  debug: (message) => lines.push(message),
  info: () => {},
  warn: (message) => lines.push(message),
  error: () => {},
  child: () => logger,
};

let flow: InMemoryFlow;
let drift: Map<string, number>;
const depsOf = () => ({
  ...flow.deps,
  logger,
  recovery: flow.ledger,
  metrics: { ...flow.deps.metrics, indexDrift: (kind: string, count: number) => void drift.set(kind, count) },
});
const keyOf = () => ({ tenant: 'acme', namespace: 'default', model: flow.deps.embeddingModel });
beforeEach(() => {
  lines.length = 0;
  drift = new Map();
  flow = createInMemoryFlow();
});
afterEach(() => void jest.useRealTimers());

/** What has been asked for since the last time: each reconcile by its reason, other jobs by their names. */
function asked(): string[] {
  const names: string[] = [];
  for (let job = flow.queue.take(); job; job = flow.queue.take())
    names.push(job.name === 'reconcile' ? job.payload.reason : job.name);
  return names.toSorted();
}

async function library(): Promise<void> {
  for (const name of ['one', 'two']) {
    await flow.ingest(`The text of ${name}.`, { documentId: name });
    await flow.drain();
  }
}

test('a lost index is brought back by its count; one that has as many of others only where it is read through', async () => {
  await library();
  flow.vectors.wipe();
  await reconcileFor(depsOf(), 'index');
  expect(await flow.vectors.count(keyOf())).toBe(2);
  expect(drift.get('missing_chunks')).toBe(2);
  await flow.vectors.removeDocument(keyOf(), 'two');
  const vector = new Float32Array(flow.deps.embedderFor(keyOf().model).dimension);
  const stranger = { documentId: 'stranger', version: 1, index: 0, headings: [], start: 0, end: 1, text: 'x', vector };
  await flow.vectors.addMissing(keyOf(), [{ ...stranger, chunkId: 'strange' }]);
  await reconcileFor(depsOf(), 'index');
  expect(await flow.vectors.countDocument(keyOf(), 'two')).toBe(0);
  await reconcileFor(depsOf(), 'index-exact');
  expect(await flow.vectors.countDocument(keyOf(), 'two')).toBe(1);
  expect(await flow.vectors.countDocument(keyOf(), 'stranger')).toBe(0);
  expect(asked()).toEqual([]);
});

test('after a start of the server all is compared at once, the index is read through, and that start is remembered', async () => {
  await flow.ingest('Only just taken in.');
  expect(asked()).toEqual(['parse']);
  await reconcileFor(depsOf(), 'restart-17');
  expect(asked()).toEqual(['index-exact', 'parse']);
  expect(await flow.ledger.comparedStart()).toBe('17');
});

test('what is young is left alone otherwise, and the index is looked at by a reconcile of its own', async () => {
  await flow.ingest('Only just taken in.');
  expect(asked()).toEqual(['parse']);
  await reconcileFor(depsOf(), 'periodic');
  expect(asked()).toEqual(['index']);
  await reconcileFor(depsOf(), 'rebuilt');
  expect(asked()).toEqual(['index-exact']);
});

test('every document is compared in turn, in four hours and a little', async () => {
  await library();
  const remove = flow.ledger.remember();
  await flow.ingest('Lost by the ledger.', { documentId: 'lost' });
  await flow.drain();
  remove();
  const isBack = async () => (await flow.ledger.getDocument('acme', 'lost')) !== undefined;
  let minutes = 0;
  for (; !(await isBack()) && minutes < 256; minutes += 1) {
    flow.ahead += 60_000;
    await reconcileFor(depsOf(), 'periodic');
  }
  expect(await isBack()).toBe(true);
});

test('a reconcile is asked for at the start and every minute, with what has expired, until that is stopped', async () => {
  jest.useFakeTimers();
  const stop = startReconciling(depsOf());
  await jest.advanceTimersByTimeAsync(0);
  expect(asked()).toEqual(['expire', 'startup']);
  await jest.advanceTimersByTimeAsync(59_000);
  expect(asked()).toEqual([]);
  await jest.advanceTimersByTimeAsync(1000);
  expect(asked()).toEqual(['expire', 'periodic']);
  stop();
  await jest.advanceTimersByTimeAsync(180_000);
  expect(asked()).toEqual([]);
});

test('a server that was started anew is noticed within seconds, and asked about until it was compared', async () => {
  jest.useFakeTimers();
  const stop = startReconciling(depsOf());
  await jest.advanceTimersByTimeAsync(2000);
  asked();
  flow.ledger.remember()();
  await jest.advanceTimersByTimeAsync(2000);
  expect(asked()).toEqual(['expire', 'restart-2']);
  await flow.ledger.markCompared('2');
  await jest.advanceTimersByTimeAsync(4000);
  expect(asked()).toEqual([]);
  stop();
});

test('a ledger that was lost is rebuilt, and compared from there on', async () => {
  await library();
  jest.useFakeTimers({ now: Date.now() });
  const stop = startReconciling(depsOf());
  await jest.advanceTimersByTimeAsync(0);
  asked();
  flow.ledger.wipe();
  await jest.advanceTimersByTimeAsync(1500);
  expect(asked()).toEqual(['expire', 'rebuilt']);
  expect(await flow.ledger.getDocument('acme', 'one')).toBeDefined();
  stop();
});

test('where queue or server are away that is said, and asked again later', async () => {
  jest.useFakeTimers();
  flow.queue.unavailable = true;
  const { serverStart } = flow.ledger;
  flow.ledger.serverStart = () => Promise.reject(new MemoryError('dependency_unavailable', 'Redis is away.'));
  const stop = startReconciling(depsOf());
  await jest.advanceTimersByTimeAsync(2000);
  expect(lines.toSorted()).toEqual([
    'queue away; reconciling later',
    'queue away; what has expired is forgotten later',
    'the server behind the ledger cannot be asked',
  ]);
  flow.queue.unavailable = false;
  flow.ledger.serverStart = serverStart;
  await jest.advanceTimersByTimeAsync(58_000);
  expect(asked()).toEqual(['expire', 'periodic']);
  stop();
});
