import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { DryRun } from '@semantic-memory/shared/contracts/model/dry-run';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.close());

/** The answer to a request that a worker works on meanwhile. */
async function answered(request: Promise<Response>): Promise<Response> {
  let over = false;
  const answer = request.finally(() => {
    over = true;
  });
  while (!over) {
    await api.flow.runNext();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return answer;
}

const dry = (source: unknown) => answered(api.post('/ingest?dryRun=true', { source }));

test('a dry run of a text answers 200 and what it would come to, and stores nothing', async () => {
  const answer = await dry({ type: 'text', text: 'The moon raises two tides a day.' });
  expect(answer.status).toBe(200);
  expect(DryRun.parse(await answer.json())).toMatchObject({
    mediaType: 'text/plain',
    pages: 1,
    ocrPages: 0,
    chunks: 1,
  });
  expect([...api.flow.blobs.blobs.keys()]).toEqual([]);
  expect(await (await api.call('/documents')).json()).toMatchObject({ items: [] });
  expect(await (await api.call('/jobs')).json()).toMatchObject({ items: [] });
});

test('a dry run of a file is given the fields of any upload, and an Idempotency-Key means nothing to it', async () => {
  const body = new FormData();
  body.append('title', 'Tides');
  body.append('file', new Blob(['The moon raises two tides a day.']), 'tides.txt');
  const headers = { 'idempotency-key': 'a-key' };
  const answer = await answered(api.call('/ingest?dryRun=true', { method: 'POST', body, headers }));
  expect(DryRun.parse(await answer.json()).tokens).toBeGreaterThan(5);
  const text = { source: { type: 'text', text: 'Something else.' } };
  expect((await api.post('/ingest', text, { headers })).status).toBe(202);
});

test('what the bytes hold is the answer of a dry run: 415 says what is supported, 422 what is wrong', async () => {
  api.flow.faults.parse = new MemoryError('unsupported_type', 'No parser reads application/x-dosexec.', {
    hint: 'Send a PDF.',
  });
  const unsupported = await dry({ type: 'text', text: 'MZ' });
  expect(unsupported.status).toBe(415);
  expect(await unsupported.json()).toMatchObject({ error: { code: 'unsupported_type', hint: 'Send a PDF.' } });
  api.flow.faults.parse = new MemoryError('encrypted_document', 'It has a password.');
  expect((await dry({ type: 'text', text: '%PDF' })).status).toBe(422);
  expect((await dry({ type: 'git', url: 'https://example.com/r.git' })).status).toBe(422);
  const tooLarge = await api.post('/ingest?dryRun=true', { source: { type: 'text', text: 'x'.repeat(200_000) } });
  expect(tooLarge.status).toBe(413);
  expect((await api.post('/ingest?dryRun=perhaps', { source: { type: 'text', text: 'x' } })).status).toBe(400);
});

test('while the queue is away a dry run is refused like an ingest, and its bytes are gone', async () => {
  api.flow.queue.unavailable = true;
  const answer = await api.post('/ingest?dryRun=true', { source: { type: 'text', text: 'The moon.' } });
  expect(answer.status).toBe(503);
  expect([...api.flow.blobs.blobs.keys()]).toEqual([]);
});
