import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { BatchAccepted } from '@semantic-memory/shared/contracts/http/ingest';
import { JobList } from '@semantic-memory/shared/contracts/http/jobs';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { startTestApi, type TestApi, tokenFor } from '../testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.close());

/** A job that has failed in embedding by a fault of ours. */
async function deadLetter(token?: string, documentId = 'notes'): Promise<Job> {
  api.flow.faults.embed = new MemoryError('internal', 'The model died.', { retry: { kind: 'never' } });
  return api.ingested('The harbour is open.', { documentId }, token);
}
/** Not plain text, so that a parser reads it. */
const inMarkdown = (text: string) => ({ source: { type: 'text', text, mediaType: 'text/markdown' } });
const list = async (query = '', token?: string) =>
  JobList.parse(await (await api.call(`/admin/dead-letters${query}`, token === undefined ? {} : { token })).json());
const retry = (jobId: string, token?: string) =>
  api.call(`/admin/dead-letters/${jobId}/retry`, { method: 'POST', ...(token === undefined ? {} : { token }) });

test('dead letters are listed newest first, page by page, with what went wrong', async () => {
  const jobs = [await deadLetter(undefined, 'a'), await deadLetter(undefined, 'b'), await deadLetter(undefined, 'c')];
  api.flow.faults.parse = new MemoryError('encrypted_document', 'It is locked.');
  await api.ingested('locked', inMarkdown('locked'));
  const first = await list('?limit=2');
  expect(first.items.map(({ documentId }) => documentId)).toEqual(['c', 'b']);
  expect(first.items[0]).toMatchObject({ state: 'failed', stage: 'embed', error: { code: 'internal' } });
  const second = await list(`?limit=2&cursor=${encodeURIComponent(first.nextCursor ?? '')}`);
  expect(second.items.map(({ id }) => id)).toEqual([jobs[0]?.id]);
  expect(second.nextCursor).toBeUndefined();
});

test('a dead letter that is retried goes on from its last finished step and is none any more', async () => {
  const { id } = await deadLetter();
  const answer = await retry(id);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ id, state: 'queued', stage: 'embed' });
  expect((await retry(id)).status).toBe(409);
  await api.flow.drain();
  expect((await list()).items).toEqual([]);
  expect((await retry(id)).status).toBe(409);
  expect((await retry('job_unknown')).status).toBe(404);
});

test('a document at fault is no dead letter', async () => {
  api.flow.faults.parse = new MemoryError('corrupt_document', 'It is broken.');
  const job = await api.ingested('broken', inMarkdown('broken'));
  expect((await list()).items).toEqual([]);
  expect((await retry(job.id)).status).toBe(409);
  // It can be retried as any job.
  expect((await api.call(`/jobs/${job.id}/retry`, { method: 'POST' })).status).toBe(200);
});

test('a refused item of a batch is no dead letter', async () => {
  const answer = await api.post('/ingest/batch', { items: [{ source: { type: 'text' } }] });
  const { jobs } = BatchAccepted.parse(await answer.json());
  expect(jobs[0]).toMatchObject({ state: 'failed', error: { code: 'invalid_request' } });
  expect((await list()).items).toEqual([]);
});

test('each tenant sees its own dead letters and queues, with the scope for it', async () => {
  const { id } = await deadLetter();
  const other = tokenFor('umbrella');
  await api.post('/ingest', { source: { type: 'text', text: 'Waiting.' } });
  expect((await list('', other)).items).toEqual([]);
  expect((await retry(id, other)).status).toBe(404);
  const queues = async (token?: string) => {
    const answer = await api.call('/admin/queues', token === undefined ? {} : { token });
    const { queues: all } = (await answer.json()) as { queues: { tier: string }[] };
    return Object.fromEntries(all.map(({ tier, ...counts }) => [tier, counts]));
  };
  expect(await queues()).toMatchObject({
    parse: { waiting: 0, failed: 0 },
    embed: { waiting: 1, active: 0, delayed: 0, failed: 1, oldestWaitSeconds: expect.any(Number) },
    maintenance: { waiting: 0 },
  });
  for (const counts of Object.values(await queues(other))) {
    expect(counts).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0, oldestWaitSeconds: 0 });
  }
  const reader = tokenFor('acme', { scope: 'memory:read memory:write' });
  for (const path of ['/admin/queues', '/admin/dead-letters']) {
    expect((await api.call(path, { token: reader })).status).toBe(403);
  }
  expect((await retry(id, reader)).status).toBe(403);
});
