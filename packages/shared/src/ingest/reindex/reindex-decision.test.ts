import { beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import type { FakeEmbedder } from '../../testing/fake-embedder.ts';
import type { InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { createReportsFlow, type ReportsFlow, reportTopics } from '../../testing/reports-flow.ts';
import { cancelJob } from '../jobs/cancel.ts';
import { retryJob } from '../jobs/retry.ts';
import { outcomeKey } from '../stored/blob-keys.ts';
import { acceptReindex, type ReindexRequest } from './accept-reindex.ts';

/*
 * Whether a namespace gets the model that was asked for, where others ask for more, cancel, or a model is away.
 */

const scope = { tenant: 'acme', namespace: 'default' };
const next = 'next-model';

let flow: InMemoryFlow;
let embedder: FakeEmbedder;
let ingested: ReportsFlow['ingested'];
let former: string;
beforeEach(async () => {
  ({ flow, embedder, ingested } = await createReportsFlow(next, 'third'));
  former = flow.deps.embeddingModel;
});

const reindex = (request: Partial<ReindexRequest> = {}) =>
  acceptReindex(flow.deps, scope, { model: next, force: false, judged: [], ...request });
const jobOf = (id: string) => flow.ledger.getJob('acme', id);
const modelNow = () => flow.ledger.embeddingModelOf(scope);
const refOf = ({ documentId, version }: JobRecord) => ({ tenant: 'acme', documentId, version });
const away = () => new MemoryError('dependency_unavailable', 'The model does not answer.');

test('a re-index to the model that the namespace has got otherwise is refused', async () => {
  const { id } = await reindex();
  await flow.ledger.switchModel(scope, next);
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({
    state: 'failed',
    error: { code: 'conflict', message: `The namespace has the model ${next} already.` },
  });
});

test('one that is tried again while a later one is under way is refused', async () => {
  const { id } = await reindex();
  await cancelJob(flow.deps, 'acme', id);
  while (flow.queue.take()) {}
  const later = await reindex({ model: 'third' });
  const [step] = [flow.queue.take()];
  await retryJob(flow.deps, 'acme', id);
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({
    state: 'failed',
    error: { code: 'conflict', message: `Job ${later.id}, asked for after this one, re-indexes the namespace.` },
  });
  await flow.queue.add(step ? [step] : []);
  await flow.drain();
  expect(await modelNow()).toBe('third');
});

test('an index that has lost what was written to it is filled again before the switch', async () => {
  const { id } = await reindex();
  await flow.runNext();
  onNext(
    flow.vectors,
    'count',
    async () => 3,
    ({ model }) => model === next,
  );
  await expect(flow.runNext()).rejects.toMatchObject({ message: 'The index has lost some of what was written to it.' });
  expect(await modelNow()).toBe(former);
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({ state: 'succeeded' });
});

test('a cancel just before the decision comes in time: the namespace keeps its model', async () => {
  const job = await reindex();
  await flow.runNext();
  onNext(
    flow.blobs,
    'putIfAbsent',
    async (call) => {
      await cancelJob(flow.deps, 'acme', job.id);
      return call();
    },
    (key) => key === outcomeKey(refOf(job)),
  );
  await flow.drain();
  expect(await jobOf(job.id)).toMatchObject({ state: 'cancelled' });
  expect(await modelNow()).toBe(former);
});

/** As where the endpoint of the model before is gone for good. */
function loseFormer(): void {
  const { embedderFor } = flow.deps;
  Object.assign(flow.deps, {
    embedderFor: (model: string) => {
      if (model === former) throw away();
      return embedderFor(model);
    },
  });
}

test('a model that cannot be compared with the one before keeps the job waiting; force switches without', async () => {
  const { id } = await reindex();
  await flow.runNext();
  loseFormer();
  await expect(flow.runNext()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(await jobOf(id)).toMatchObject({ state: 'waiting' });
  await cancelJob(flow.deps, 'acme', id);
  while (flow.queue.take()) {}
  const forced = await reindex({ force: true });
  await flow.drain();
  expect(await jobOf(forced.id)).toMatchObject({
    state: 'succeeded',
    comparison: {
      verdict: 'not_compared',
      switched: true,
      reasons: ['The models could not be compared: The model does not answer.'],
    },
  });
  expect(await modelNow()).toBe(next);
});

test('a fault of ours is told, with force too', async () => {
  const { id } = await reindex({ force: true });
  await flow.runNext();
  onNext(embedder, 'embedQuery', () => Promise.reject(new Error('a fault of ours')));
  await expect(flow.runNext()).rejects.toMatchObject({ code: 'internal', retry: { kind: 'backoff' } });
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({ state: 'succeeded', comparison: { verdict: 'good' } });
});

test('where the former collection is lost, whatever the next one finds is no worse', async () => {
  const { id } = await reindex();
  await flow.runNext();
  await flow.vectors.removeCollection({ ...scope, model: former });
  await flow.drain();
  expect(await jobOf(id)).toMatchObject({ state: 'succeeded', comparison: { verdict: 'good', agreement: 1 } });
});

test('passages without a sentence of enough words are compared by the judged queries alone', async () => {
  for (const [at, topic] of reportTopics.entries()) await ingested(`The ${topic}.`, `report-${at}`);
  const judged = reportTopics.map((topic, at) => ({ query: topic, relevant: [`report-${at}`] }));
  const { id } = await reindex({ judged });
  await flow.drain();
  const comparison = (await jobOf(id))?.comparison;
  expect(comparison).toMatchObject({ verdict: 'good', judged: { queries: 10, former: 1, next: 1 } });
  expect(comparison?.selfRetrieval).toBeUndefined();
  expect(comparison?.agreement).toBeUndefined();
});

test.each([undefined, 'throws'])(
  'a model that is not served here is refused, however that is said (%s)',
  async (how) => {
    const embedderFor = () => {
      if (how) throw away();
      return undefined;
    };
    const request = { model: 'unknown', force: false, judged: [] };
    await expect(acceptReindex({ ...flow.deps, embedderFor }, scope, request)).rejects.toMatchObject({
      code: 'unprocessable',
      message: 'The model unknown is not configured here.',
    });
  },
);
