import { expect, test } from '@jest/globals';
import type { Manifest } from '../../contracts/model/manifest.ts';
import {
  finishJob,
  finishStage,
  newJob,
  progressStage,
  retryRecord,
  retryStage,
  stageOf,
  startStage,
  waitStage,
} from './job-record.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const manifest: Manifest = {
  schemaVersion: 1,
  tenant: 'acme',
  namespace: 'default',
  documentId: 'handbook',
  version: 3,
  jobId: 'job_01J00000000000000000000000',
  source: { type: 'upload', filename: 'handbook.pdf' },
  original: { key: 'k', bytes: 10, sha256: 'f'.repeat(64) },
  metadata: {},
  priority: 'normal',
  options: {},
  embeddingModel: 'm',
  createdAt: at(0),
};
const parsed = { done: 1, total: 1, next: { stage: 'embed', total: 4 }, skipped: ['ocr'] } as const;
const away = { code: 'dependency_unavailable', message: 'Chroma does not answer.' } as const;

test('an upload has nothing to fetch, and begins with parse', () => {
  const job = newJob(manifest);
  expect(job).toMatchObject({ state: 'queued', stage: 'parse', progress: 0, run: 0, sourceType: 'upload' });
  expect(job.stages.map((stage) => stage.state)).toEqual(['skipped', 'pending', 'pending', 'pending', 'pending']);
  expect(newJob({ ...manifest, source: { type: 'url', url: 'https://example.org/a' } }).stage).toBe('fetch');
});

test('progress only grows on the way to the end, and the end is 1', () => {
  let job = newJob(manifest);
  const seen = [job.progress];
  const see = () => seen.push(job.progress);
  job = startStage(job, 'parse', at(1));
  see();
  job = progressStage(job, 'parse', 5, 10, at(2));
  see();
  job = finishStage(job, 'parse', parsed, at(3));
  see();
  job = progressStage(startStage(job, 'embed', at(4)), 'embed', 1, 4, at(5));
  see();
  job = finishStage(job, 'embed', { done: 4, total: 4, next: { stage: 'index', total: 4 }, skipped: [] }, at(6));
  see();
  job = finishJob(startStage(job, 'index', at(7)), 'succeeded', at(8));
  see();
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
  expect(job).toMatchObject({ state: 'succeeded', finishedAt: at(8) });
  expect(job.stages.map((stage) => stage.state)).toEqual(['skipped', 'done', 'skipped', 'done', 'done']);
});

test('the rest is estimated from the speed of the stage so far', () => {
  const job = progressStage(startStage(newJob(manifest), 'parse', at(0)), 'parse', 2, 10, at(4));
  expect(job.etaSeconds).toBe(16);
  expect(progressStage(job, 'parse', 10, 10, at(20)).etaSeconds).toBeUndefined();
});

test('a wait for a dependency is no attempt, a fault of ours is one', () => {
  let job = startStage(newJob(manifest), 'parse', at(1));
  job = waitStage(job, 'parse', away, at(2));
  expect(job).toMatchObject({ state: 'waiting' });
  expect(stageOf(job, 'parse')).toMatchObject({ state: 'waiting', error: away, attempts: 1 });
  job = startStage(job, 'parse', at(3));
  expect(stageOf(job, 'parse')).toMatchObject({ state: 'running', attempts: 1, startedAt: at(1) });
  expect(stageOf(job, 'parse').error).toBeUndefined();
  job = startStage(retryStage(job, 'parse', away, at(4)), 'parse', at(5));
  expect(stageOf(job, 'parse').attempts).toBe(2);
});

test('a failure names the stage that failed; what had not begun is cancelled', () => {
  const error = { code: 'corrupt_document', message: 'It ends in mid-page.' } as const;
  const job = finishJob(startStage(newJob(manifest), 'parse', at(1)), 'failed', at(2), { error });
  expect(job).toMatchObject({ state: 'failed', error, finishedAt: at(2) });
  expect(job.stages.map((stage) => stage.state)).toEqual(['skipped', 'failed', 'cancelled', 'cancelled', 'cancelled']);
});

test('a retry begins at the first stage that is not done, as the next run', () => {
  let job = finishStage(startStage(newJob(manifest), 'parse', at(1)), 'parse', parsed, at(2));
  job = finishJob(startStage(job, 'embed', at(3)), 'failed', at(4), { error: away });
  const again = retryRecord(job, at(5));
  expect(again).toMatchObject({ state: 'queued', stage: 'embed', run: 1 });
  expect(again.error).toBeUndefined();
  expect(again.finishedAt).toBeUndefined();
  expect(again.stages.map((stage) => stage.state)).toEqual(['skipped', 'done', 'skipped', 'pending', 'pending']);
});

test('a partial job reads its pages again', () => {
  let job = newJob(manifest);
  for (const [name, next] of [
    ['parse', 'ocr'],
    ['ocr', 'embed'],
    ['embed', 'index'],
  ] as const) {
    job = finishStage(
      startStage(job, name, at(1)),
      name,
      { done: 1, total: 1, next: { stage: next, total: 1 }, skipped: [] },
      at(2),
    );
  }
  const partial = finishJob(startStage(job, 'index', at(3)), 'partial', at(4), {
    warnings: [{ code: 'page_unreadable', message: 'blank', page: 2 }],
  });
  expect(retryRecord(partial, at(5))).toMatchObject({ stage: 'ocr', state: 'queued', warnings: [] });
});

test('the same warning twice is one warning', () => {
  const warning = { code: 'page_unreadable', message: 'blank', page: 2 };
  const result = { ...parsed, warnings: [warning] };
  const once = finishStage(startStage(newJob(manifest), 'parse', at(1)), 'parse', result, at(2));
  expect(finishStage(once, 'parse', result, at(3)).warnings).toEqual([warning]);
});

test('a job that ends without a reason says none', () => {
  const job = finishJob(startStage(newJob(manifest), 'parse', at(1)), 'failed', at(2));
  expect(job.error).toBeUndefined();
  expect(stageOf(job, 'parse')).toMatchObject({ state: 'failed', finishedAt: at(2) });
  expect(stageOf(job, 'parse').error).toBeUndefined();
});

test('a stage of which the ledger has lost that it began says how far it is, and no time that is none', () => {
  const job = progressStage(newJob(manifest), 'parse', 1, 10, at(1));
  expect(stageOf(job, 'parse')).toMatchObject({ done: 1, total: 10 });
  expect(job.etaSeconds).toBe(0);
});
