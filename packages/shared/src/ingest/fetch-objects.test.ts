import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { deletedWhileAccepted } from '../testing/deleted-while-accepted.ts';
import { createInMemoryBuckets, type InMemoryBuckets } from '../testing/in-memory-buckets.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { onNext } from '../testing/on-next.ts';
import { accept } from './accept.ts';
import { retryJob } from './jobs/retry.ts';
import { listingKey, versionPrefix } from './stored/blob-keys.ts';
import { readText } from './versions/read-document.ts';

const tenant = 'acme';
const bucket = 'reports';
const ref = { tenant, documentId: 'library', version: 1 };

function withBucket(texts: Record<string, string>): { flow: InMemoryFlow; buckets: InMemoryBuckets } {
  const flow = createInMemoryFlow();
  const buckets = createInMemoryBuckets(texts);
  Object.assign(flow.deps, { objects: buckets, allowedBuckets: [{ tenant, bucket, prefix: '' }] });
  return { flow, buckets };
}

async function begin(flow: InMemoryFlow, place: { key: string } | { prefix: string }, namespace = 'default') {
  const job = await accept(flow.deps, {
    ...{ tenant, namespace, documentId: 'library', metadata: { team: 'sea' }, priority: 'normal', options: {} },
    source: { type: 's3', bucket, ...place },
  });
  const ended = async () => {
    const record = await flow.ledger.getJob(tenant, job.id);
    if (!record) throw new Error('the job is gone');
    return record;
  };
  return { job, ended };
}

const jobs = async (flow: InMemoryFlow) => (await flow.ledger.listJobs(tenant, { limit: 100 })).items;
const forbid = (flow: InMemoryFlow) => Object.assign(flow.deps, { allowedBuckets: [] });
const away = new MemoryError('dependency_unavailable', 'The S3 server cannot be reached.');

test('an object is fetched once, kept, called by the end of its key and ingested like a file', async () => {
  const { flow, buckets } = withBucket({ '2026/tides.txt': 'Spring tides follow the moon.' });
  flow.faults.parse = new Error('once more from the fetched copy');
  const { ended } = await begin(flow, { key: '2026/tides.txt' });
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'succeeded', sourceType: 's3' });
  expect((await ended()).stages[0]).toMatchObject({ name: 'fetch', state: 'done', total: 29 });
  expect(buckets.asked).toEqual(['2026/tides.txt']);
  expect(await readText(flow.deps, tenant, 'library')).toBe('Spring tides follow the moon.');
  expect(await flow.ledger.getDocument(tenant, 'library')).toMatchObject({
    title: 'tides.txt',
    metadata: { team: 'sea' },
  });
});

test('an object that is larger than it said, or not there, ends the job with that reason', async () => {
  const { flow } = withBucket({ large: 'x'.repeat(1_000_001) });
  const large = await begin(flow, { key: 'large' });
  await flow.drain();
  expect(await large.ended()).toMatchObject({
    state: 'failed',
    error: { code: 'too_large', message: 'The object is larger than 1000000 bytes.' },
  });
  const gone = await begin(flow, { key: 'gone' });
  await flow.drain();
  expect(await gone.ended()).toMatchObject({ state: 'failed', error: { code: 'fetch_failed' } });
});

test.each([[{ key: 'a.md' }], [{ prefix: 'a' }]])(
  'what an operator no longer allows is not asked for: %j',
  async (place) => {
    const { flow, buckets } = withBucket({ 'a.md': 'One.' });
    const { ended } = await begin(flow, place);
    forbid(flow);
    await flow.drain();
    expect(await ended()).toMatchObject({ state: 'failed', error: { code: 'fetch_forbidden' } });
    expect(buckets.asked).toEqual([]);
  },
);

test('while the server is away the job waits, and then goes on', async () => {
  const { flow, buckets } = withBucket({ 'a.md': 'One.', 'b.md': 'Two.' });
  buckets.outage = away;
  const { ended } = await begin(flow, { prefix: '' });
  await expect(flow.runNext()).rejects.toMatchObject({ retry: { kind: 'wait' } });
  expect(await ended()).toMatchObject({ state: 'waiting', stage: 'fetch' });
  buckets.outage = undefined;
  await flow.runNext();
  buckets.outage = away;
  await expect(flow.runNext()).rejects.toMatchObject({ retry: { kind: 'wait' } });
  buckets.outage = undefined;
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'succeeded', warnings: [] });
});

test('each object below a prefix becomes a document, by its key; folders are none, and what is empty is named', async () => {
  const { flow, buckets } = withBucket({
    ...{ '2026/a.md': 'One.', '2026/may/': '', '2026/may/b c.md': 'Two.', '2026/none.md': '' },
    ...{ '2025/old.md': 'Old.', '2026/../secret': 'No.', '2026/big': 'x'.repeat(1_000_001) },
  });
  const { job, ended } = await begin(flow, { prefix: '2026/' });
  expect(job.sourceType).toBe('s3-prefix');
  await flow.runNext();
  expect(flow.queue.waiting.map(({ name }) => name).sort()).toEqual(['fetch', 'fetch', 'settle']);
  expect(buckets.asked).toEqual(['2026/*']);
  await flow.drain();
  expect(await ended()).toMatchObject({
    state: 'succeeded',
    progress: 1,
    warnings: [
      { code: 'skipped_key', message: '2026/../secret has a part "." or "..".' },
      { code: 'skipped_too_large', message: '2026/big has 1000001 bytes.' },
      { code: 'skipped_empty', message: '2026/none.md is empty.' },
    ],
  });
  expect(buckets.asked.slice(1).sort()).toEqual(['2026/a.md', '2026/may/b c.md']);
  expect(await flow.ledger.getDocument(tenant, 'library:2026:a.md')).toMatchObject({
    title: '2026/a.md',
    metadata: { team: 'sea', bucket, path: '2026/a.md' },
  });
  expect(await flow.ledger.getDocument(tenant, 'library')).toBeUndefined();
  const { items } = await flow.ledger.listDocuments(tenant, { limit: 10 });
  expect(items.map(({ title }) => title).sort()).toEqual(['2026/a.md', '2026/may/b c.md']);
});

test('taken in again, what has changed is replaced, and what has not costs no embedding', async () => {
  const { flow, buckets } = withBucket({ 'a.md': 'One.', 'b.md': 'Two.' });
  await begin(flow, { prefix: '' });
  await flow.drain();
  const embedded = flow.embedded.length;
  buckets.objects.set('b.md', 'Two, and more.');
  const { ended } = await begin(flow, { prefix: '' });
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'succeeded' });
  expect(await readText(flow.deps, tenant, 'library:b.md')).toBe('Two, and more.');
  expect(flow.embedded.slice(embedded).map((text) => text.includes('Two, and more.'))).toEqual([true]);
  for (const id of ['library:a.md', 'library:b.md']) {
    expect(await flow.ledger.getDocument(tenant, id)).toMatchObject({ activeVersion: 2 });
  }
});

test('an object that cannot be fetched makes the job partial and is named, and can be tried again', async () => {
  const { flow, buckets } = withBucket({ 'a.md': 'One.', 'b.md': 'Two.' });
  buckets.objects.set('a.md', new MemoryError('fetch_forbidden', 'The S3 server does not let it be read.'));
  const { job, ended } = await begin(flow, { prefix: '' });
  await flow.drain();
  expect(await ended()).toMatchObject({
    state: 'partial',
    warnings: [{ code: 'fetch_forbidden', message: expect.stringContaining('library:a.md ended failed') }],
  });
  buckets.objects.set('a.md', 'One.');
  for (const { id, state } of await jobs(flow)) if (state === 'failed') await retryJob(flow.deps, tenant, id);
  await retryJob(flow.deps, tenant, job.id);
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'succeeded', run: 1 });
});

test('a document that another namespace has is named, and does not stop the others', async () => {
  const { flow } = withBucket({ 'a.md': 'One.', 'b.md': 'Two.' });
  await flow.ingest('Mine.', { documentId: 'library:a.md', namespace: 'other' });
  const { ended } = await begin(flow, { prefix: '' });
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'succeeded', warnings: [{ code: 'conflict' }] });
  expect(await readText(flow.deps, tenant, 'library:a.md')).toBe('Mine.');
  expect(await readText(flow.deps, tenant, 'library:b.md')).toBe('Two.');
});

test('a fault of ours between two objects is no reason to leave one out', async () => {
  const { flow } = withBucket({ 'a.md': 'One.', 'b.md': 'Two.' });
  const { ended } = await begin(flow, { prefix: '' });
  onNext(flow.ledger, 'createJob', async () => {
    throw new Error('killed between two objects');
  });
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'succeeded' });
  expect(await jobs(flow)).toHaveLength(3);
});

test('a job that goes on takes the objects that it found first, and makes way for others', async () => {
  const { flow, buckets } = withBucket({ 'a.md': 'One.', 'b.md': 'Two.' });
  const { ended } = await begin(flow, { prefix: '' });
  const { addChild } = flow.ledger;
  flow.ledger.addChild = async (...args) => {
    await addChild(...args);
    flow.ahead += 6_000;
  };
  flow.faults.othersWait = true;
  await expect(flow.runNext()).rejects.toMatchObject({ retry: { kind: 'yield' } });
  flow.faults.othersWait = false;
  buckets.objects.set('c.md', 'Three.');
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'succeeded' });
  expect(buckets.asked.filter((asked) => asked === '*')).toHaveLength(1);
  expect(await jobs(flow)).toHaveLength(3);
});

test('more objects than may be, or more bytes, are known from the list, and nothing is fetched', async () => {
  const many = withBucket(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`${n}.md`, 'One.'])));
  const { ended } = await begin(many.flow, { prefix: '' });
  let pages = 0;
  const { list } = many.buckets;
  many.buckets.list = async function* (...args) {
    for await (const page of list(...args)) {
      pages += 1;
      yield page;
    }
  };
  await many.flow.drain();
  expect(await ended()).toMatchObject({
    state: 'failed',
    error: { code: 'limits_exceeded', hint: expect.stringContaining('SOURCE_S3_MAX_OBJECTS') },
  });
  expect(pages).toBe(6);
  const large = withBucket(Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`${n}.md`, 'x'.repeat(999_999)])));
  const { ended: largeEnded } = await begin(large.flow, { prefix: '' });
  await large.flow.drain();
  expect(await largeEnded()).toMatchObject({ state: 'failed', error: { code: 'too_large' } });
  for (const { flow, buckets } of [many, large]) {
    expect(buckets.asked).toEqual(['*']);
    expect(await jobs(flow)).toHaveLength(1);
  }
});

test('a prefix without an object is empty', async () => {
  const { flow } = withBucket({ 'a/': '' });
  const { ended } = await begin(flow, { prefix: 'a/' });
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'failed', error: { code: 'empty_document' } });
});

test('two workers at the same step take the list of the first', async () => {
  const { flow } = withBucket({ 'a.md': 'One.', 'b.md': 'Two.' });
  const { ended } = await begin(flow, { prefix: '' });
  const other = new TextEncoder().encode('{"schemaVersion":1,"objects":[{"key":"b.md","bytes":4}]}');
  onNext(
    flow.blobs,
    'putIfAbsent',
    async () => {
      await flow.blobs.put(listingKey(ref), other);
      return false;
    },
    (key) => key === listingKey(ref),
  );
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'succeeded' });
  expect(await flow.ledger.getDocument(tenant, 'library:a.md')).toBeUndefined();
});

test('a list for a job that is gone is not kept, and nothing is accepted', async () => {
  const { flow } = withBucket({ 'a.md': 'One.' });
  const { ended } = await begin(flow, { prefix: '' });
  onNext(
    flow.blobs,
    'putIfAbsent',
    async () => {
      await flow.blobs.removePrefix(versionPrefix(ref));
      return false;
    },
    (key) => key === listingKey(ref),
  );
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'cancelled' });
  expect(await jobs(flow)).toHaveLength(1);
});

test('an object that is deleted while it is accepted is none of the documents that the job waits for', async () => {
  const { flow } = withBucket({ 'a.md': 'One.', 'b.md': 'Two.' });
  const { job, ended } = await begin(flow, { prefix: '' });
  const gone = { tenant, documentId: 'library:b.md', version: 1 };
  deletedWhileAccepted(flow, gone);
  await flow.drain();
  expect(await ended()).toMatchObject({ state: 'succeeded' });
  expect(await flow.ledger.children(tenant, job.id)).toHaveLength(1);
  expect(await flow.ledger.getDocument(tenant, gone.documentId)).toBeUndefined();
});
