import { afterEach, expect, jest, test } from '@jest/globals';
import { isTerminal } from '@semantic-memory/shared/contracts/model/job';
import { cancelJob } from '@semantic-memory/shared/ingest/jobs/cancel';
import { isDeadLetter } from '@semantic-memory/shared/ingest/jobs/dead-letters';
import { retryJob } from '@semantic-memory/shared/ingest/jobs/retry';
import { vectorBatchSize } from '@semantic-memory/shared/ingest/stored/artifacts';
import { readOutcome } from '@semantic-memory/shared/ingest/stored/outcome';
import { createFaultBench, type FaultBench, until } from './testing/fault-bench.ts';

// Real worker processes over a real Redis and Chroma, killed and frozen. Locks are short here; the figures of production
// are the defaults of the tier worker.
jest.setTimeout(60_000);

let bench: FaultBench;
afterEach(() => bench.close());

const paragraphs = (count: number) =>
  Array.from({ length: count }, (_, index) => `Item${index} ${'tells of the sea and of ships upon it '.repeat(9)}.`);
const longText = (count: number) => paragraphs(count).join('\n\n');

/** How often each unit of a tier was begun beyond the first time. */
async function repeats(tier: string): Promise<number> {
  const units = (await bench.work()).filter((unit) => unit.tier === tier).map(({ unit }) => unit);
  return units.length - new Set(units).size;
}

test.each([
  ['fetch', 'fetch', 1, 1],
  ['parse', 'parse', 1, 1],
  ['ocr', 'ocr', 4, 1],
  ['embed', 'embed', vectorBatchSize + 10, 2 * vectorBatchSize],
  ['index', 'index', 1, 1],
] as const)(
  'a worker killed in mid-%s is replaced: the step goes on elsewhere in time, and repeats at most what was not stored',
  async (_, tier, units, mostRepeats) => {
    bench = await createFaultBench({ unitMs: 150 });
    const first = await bench.startWorker();
    const isFetched = { source: { type: 'url', url: 'https://example.org/' }, original: undefined } as const;
    const text = tier === 'parse' ? 'slow but good' : tier === 'ocr' ? 'scan 8' : longText(150);
    const job = await bench.ingest(text, tier === 'fetch' ? isFetched : {});
    await bench.worked(tier, units);
    first.process.kill('SIGKILL');
    const killedAt = Date.now();
    await first.exited;
    const second = await bench.startWorker();
    const ended = await bench.ended(job.id);
    expect(ended).toMatchObject({ state: 'succeeded' });
    const again = (await bench.work()).find((unit) => unit.pid === second.pid);
    expect(again?.tier).toBe(tier);
    expect(await repeats(tier)).toBeLessThanOrEqual(mostRepeats);
    // Both waits, and what it takes to start a process and do the work.
    expect(Date.now() - killedAt).toBeLessThan(bench.lockMs + 2 * bench.stalledCheckMs + 12_000);
    const chunks = (await bench.deps.ledger.getDocument(ended.tenant, ended.documentId))?.versions[0]?.chunks;
    expect(chunks).toBeGreaterThan(0);
    expect(await bench.vectors.countDocument(bench.key(), ended.documentId)).toBe(chunks);
  },
);

test('a document that always kills its parser is poison after three starts; others flow on', async () => {
  bench = await createFaultBench();
  await bench.startWorker();
  const poison = await bench.ingest('crash');
  const others = await Promise.all(
    Array.from({ length: 10 }, (_, index) => bench.ingest(`A good text, number ${index}.`)),
  );
  for (const other of others) expect(await bench.ended(other.id)).toMatchObject({ state: 'succeeded' });
  expect(await bench.ended(poison.id)).toMatchObject({ state: 'failed', error: { code: 'poison_document' } });
  expect((await bench.work()).filter(({ tier, unit }) => tier === 'parse' && unit === 'crash')).toHaveLength(3);
  expect(isDeadLetter(await bench.job(poison.id))).toBe(false);
});

test('a document that always kills the worker is poison after three kills; those that were beside it are not', async () => {
  bench = await createFaultBench({ lockMs: 600, stalledCheckMs: 200, unitMs: 400 });
  await bench.keepWorker();
  const texts = ['One good text.', 'please kill the worker', 'Another good text.', longText(20)];
  const [first, poison, second, third] = await Promise.all(texts.map((text) => bench.ingest(text)));
  for (const good of [first, second, third]) {
    expect(await bench.ended(good?.id ?? '', 40_000)).toMatchObject({ state: 'succeeded' });
  }
  expect(await bench.ended(poison?.id ?? '', 40_000)).toMatchObject({
    state: 'failed',
    error: { code: 'poison_document', message: expect.stringContaining('3 times') },
  });
});

test('a long document outlives any number of kills as long as it gets on', async () => {
  bench = await createFaultBench({ lockMs: 500, stalledCheckMs: 200, unitMs: 60 });
  const job = await bench.ingest('scan 40');
  for (let kill = 1; kill <= 5; kill += 1) {
    const worker = await bench.startWorker();
    const before = (await bench.work()).filter(({ tier }) => tier === 'ocr').length;
    await bench.worked('ocr', before + 4);
    worker.process.kill('SIGKILL');
    await worker.exited;
  }
  await bench.startWorker();
  expect(await bench.ended(job.id)).toMatchObject({ state: 'succeeded' });
  expect(await repeats('ocr')).toBeLessThanOrEqual(5);
});

test('a worker that was frozen beyond its lock finds its step done, and its late writes change nothing', async () => {
  bench = await createFaultBench({ unitMs: 150 });
  const frozen = await bench.startWorker();
  const job = await bench.ingest(longText(20), { documentId: 'notes' });
  await bench.worked('index');
  frozen.process.kill('SIGSTOP');
  await bench.startWorker();
  const ended = await bench.ended(job.id);
  expect(ended).toMatchObject({ state: 'succeeded' });
  const newer = await bench.ingest('A newer text.', { documentId: 'notes' });
  expect(await bench.ended(newer.id)).toMatchObject({ state: 'succeeded' });
  frozen.process.kill('SIGCONT');
  // It writes what it had in hand, sees that a newer version is active, and takes it away again.
  await new Promise((resolve) => setTimeout(resolve, 2 * bench.lockMs));
  await until(async () => {
    const left = await bench.vectors.countDocument(bench.key(), 'notes', 1);
    return left === 0 ? true : undefined;
  }, 10_000);
  expect(await bench.job(job.id)).toEqual(ended);
  expect(await readOutcome(bench.deps.blobs, ended)).toMatchObject({ state: 'succeeded' });
  expect(await bench.vectors.countDocument(bench.key(), 'notes')).toBe(1);
  expect(await bench.deps.ledger.getDocument(ended.tenant, 'notes')).toMatchObject({ activeVersion: 2 });
  // It still is a good worker.
  expect(await bench.ended((await bench.ingest('One more.')).id)).toMatchObject({ state: 'succeeded' });
});

test.each([
  ['parse', 'loop'],
  ['ocr', 'scan 200'],
  ['embed', longText(600)],
  ['index', longText(20)],
] as const)(
  'a cancel in mid-%s shows at once, stops the work within two seconds, and nothing is indexed',
  async (tier, text) => {
    bench = await createFaultBench({ unitMs: 200 });
    await bench.startWorker();
    const job = await bench.ingest(text, { documentId: 'notes' });
    await bench.worked(tier);
    const tenant = bench.key().tenant;
    expect(await cancelJob(bench.deps, tenant, job.id)).toMatchObject({ state: 'cancelled' });
    const cancelledAt = Date.now();
    expect(await bench.job(job.id)).toMatchObject({ state: 'cancelled' });
    await until(async () => {
      const parse = await bench.deps.queue.counts();
      return parse.every(({ active, waiting, delayed }) => active + waiting + delayed === 0) ? true : undefined;
    }, 10_000);
    expect(Date.now() - cancelledAt).toBeLessThan(tier === 'index' ? 4000 : 2000);
    const before = (await bench.work()).length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await bench.work()).toHaveLength(before);
    expect(await bench.vectors.countDocument(bench.key(), 'notes')).toBe(0);
    expect(await bench.job(job.id)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
  },
);

test('jobs that wait, or are put off, are cancelled at once and never begun', async () => {
  bench = await createFaultBench({ concurrency: 1 });
  const tenant = bench.key().tenant;
  const jobs = await Promise.all(Array.from({ length: 5 }, (_, index) => bench.ingest(`Text number ${index}.`)));
  for (const job of jobs) expect(await cancelJob(bench.deps, tenant, job.id)).toMatchObject({ state: 'cancelled' });
  await bench.startWorker();
  const last = await bench.ingest('The last one.');
  expect(await bench.ended(last.id)).toMatchObject({ state: 'succeeded' });
  expect((await bench.work()).filter(({ tier }) => tier === 'parse')).toHaveLength(1);
});

test('pages that cannot be read make the job partial, say which, and only they are read again', async () => {
  bench = await createFaultBench({ unitMs: 5 });
  await bench.breakPages([7, 123]);
  await bench.startWorker();
  const job = await bench.ingest('scan 200', { documentId: 'scan' });
  const ended = await bench.ended(job.id);
  expect(ended).toMatchObject({ state: 'partial' });
  expect(ended.warnings).toEqual([
    { code: 'pages_unreadable', message: '198 of 200 pages were read.' },
    { code: 'page_unreadable', message: 'The page could not be drawn.', page: 7 },
    { code: 'page_unreadable', message: 'The page could not be drawn.', page: 123 },
  ]);
  const readBefore = (await bench.work()).filter(({ tier }) => tier === 'ocr').length;
  await bench.breakPages([123]);
  await retryJob(bench.deps, bench.key().tenant, job.id);
  const again = await until(async () => {
    const now = await bench.job(job.id);
    return now.run === 1 && isTerminal(now.state) ? now : undefined;
  }, 20_000);
  expect(again).toMatchObject({ state: 'partial', run: 1 });
  expect(again.warnings).toContainEqual({ code: 'pages_unreadable', message: '199 of 200 pages were read.' });
  const read = (await bench.work()).filter(({ tier }) => tier === 'ocr').slice(readBefore);
  expect(read.map(({ unit }) => unit)).toEqual(['7', '123']);
  const chunks = (await bench.deps.ledger.getDocument(job.tenant, 'scan'))?.versions[0]?.chunks;
  expect(await bench.vectors.countDocument(bench.key(), 'scan')).toBe(chunks);
});

test("one tenant's thousands of documents hold up another's one by a turn, not by their number", async () => {
  bench = await createFaultBench({ unitMs: 20, concurrency: 4 });
  const backlog = 1500;
  await bench.startWorker();
  const waiting = async () =>
    (await bench.deps.queue.counts()).reduce((sum, count) => sum + count.waiting + count.active, 0);
  // Eight at a time, as many as an API would take in.
  let left = backlog;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (left-- > 0) await bench.ingest(`Document ${left} of the large tenant.`, { tenant: 'large' });
    }),
  );
  const before = await waiting();
  const job = await bench.ingest('The one document.', { tenant: 'small' });
  await bench.ended(job.id, 50_000, 'small');
  const served = before - (await waiting());
  process.stdout.write(`of ${before} documents that waited ${served} were served before the one that came last\n`);
  expect(before).toBeGreaterThan(backlog / 4);
  expect(served).toBeLessThan(before / 10);
});
