import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { StepPayload } from '../../contracts/jobs.ts';
import type { JobRecord, Ledger } from '../../ports/ledger.ts';
import { silentLogger } from '../../testing/in-memory-flow.ts';
import { createInMemoryLedger } from '../../testing/in-memory-ledger.ts';
import { accept, freshScope } from '../../testing/ledger-fixtures.ts';
import { onNext } from '../../testing/on-next.ts';
import { finishStage, progressStage, retryStage, waitStage } from './job-record.ts';
import { openStepRecord, type StepRecord } from './step-record.ts';

let ledger: Ledger;
let job: JobRecord;
let record: StepRecord;
let at = 0;
const clock = { now: () => at };
const time = () => new Date(at).toISOString();

beforeEach(async () => {
  jest.useFakeTimers();
  at = Date.parse('2026-01-01T00:00:00Z');
  ledger = createInMemoryLedger();
  job = await accept(ledger, freshScope(), 'a');
  open(job);
});
afterEach(() => {
  record.close();
  jest.useRealTimers();
});

function open(from: JobRecord, begun = false): void {
  record = openStepRecord({ ledger, clock, logger: silentLogger }, payloadOf(from), 'parse', from, begun);
}

function payloadOf({ tenant, namespace, documentId, version, id, run }: JobRecord): StepPayload {
  return { schemaVersion: 1, tenant, namespace, documentId, version, jobId: id, run };
}

const stored = async () => (await ledger.getJob(job.tenant, job.id)) as JobRecord;
const parseStage = async () => (await stored()).stages.find(({ name }) => name === 'parse');
const done = (current: JobRecord) => finishStage(current, 'parse', { done: 1, total: 1, skipped: [] }, time());

test('a short step is written once, with when it began and when it was done', async () => {
  const startedAt = time();
  at += 40;
  await record.update(done);
  expect(await parseStage()).toMatchObject({ state: 'done', attempts: 1, startedAt, finishedAt: time() });
  const seen: string[] = [];
  const controller = new AbortController();
  for await (const event of ledger.watchJob(job.tenant, job.id, undefined, controller.signal)) {
    seen.push(event.job.state);
    if (seen.length === 2) break;
  }
  expect(seen).toEqual(['queued', 'running']);
});

test('a step that lasts is recorded as running, and as one start', async () => {
  await jest.advanceTimersByTimeAsync(900);
  expect(await parseStage()).toMatchObject({ state: 'pending', attempts: 0 });
  await jest.advanceTimersByTimeAsync(200);
  expect(await parseStage()).toMatchObject({ state: 'running', attempts: 1 });
  await record.update((current) => progressStage(current, 'parse', 1, 2, time()));
  await record.update(done);
  expect(await parseStage()).toMatchObject({ state: 'done', attempts: 1 });
});

test('a step that goes on after a wait is no new attempt', async () => {
  await record.update((current) => waitStage(current, 'parse', { code: 'internal', message: '' }, time()));
  expect(await parseStage()).toMatchObject({ state: 'waiting', attempts: 1 });
  open(await stored());
  await record.update(done);
  expect(await parseStage()).toMatchObject({ state: 'done', attempts: 1 });
});

test('a step whose process died while it was recorded as running has been started twice', async () => {
  await jest.advanceTimersByTimeAsync(1100);
  open(await stored());
  await record.update(done);
  expect(await parseStage()).toMatchObject({ attempts: 2 });
});

test('nothing is changed once the job has ended or begun anew', async () => {
  await ledger.updateJob(job.tenant, job.id, (current) => ({ ...current, state: 'cancelled' }));
  expect(await record.update(done)).toMatchObject({ state: 'cancelled' });
  await ledger.updateJob(job.tenant, job.id, (current) => ({ ...current, state: 'queued', run: 1 }));
  expect(await record.update(done)).toMatchObject({ state: 'queued', run: 1 });
  expect(await parseStage()).toMatchObject({ state: 'pending', attempts: 0 });
});

test('a step that another worker has done meanwhile says no more, and the job stays where it is', async () => {
  const other = openStepRecord({ ledger, clock, logger: silentLogger }, payloadOf(job), 'parse', job, false);
  const before = await other.update((current) =>
    finishStage(current, 'parse', { done: 1, total: 1, next: { stage: 'embed', total: 3 }, skipped: ['ocr'] }, time()),
  );
  other.close();
  at += 60_000;
  expect(await record.update(done)).toEqual(before);
  expect(
    await record.update((current) => retryStage(current, 'parse', { code: 'internal', message: '' }, time())),
  ).toEqual(before);
  expect(await stored()).toMatchObject({ stage: 'embed' });
  expect(await stored()).toEqual(before);
});

test('a step whose job is taken out of the ledger says no more, and knows what it knew', async () => {
  await ledger.withdrawVersion(job, job.documentId, job.version, job.id);
  expect(await record.update(done)).toBeUndefined();
  expect(record.recorded).toEqual(job);
});

test('a ledger that is away when a step has lasted for a second hears of it with the next word', async () => {
  onNext(ledger, 'updateJob', () => Promise.reject(new MemoryError('dependency_unavailable', 'It is away.')));
  await jest.advanceTimersByTimeAsync(1100);
  expect(await parseStage()).toMatchObject({ state: 'pending' });
  await record.update((current) => progressStage(current, 'parse', 1, 2, time()));
  expect(await parseStage()).toMatchObject({ state: 'running', attempts: 1, done: 1 });
});
