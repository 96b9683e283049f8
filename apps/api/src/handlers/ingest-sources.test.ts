import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Job } from '@semantic-memory/shared/contracts/model/job';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.close());

const page = (url: string, more: object = {}) => ({ source: { type: 'url', url }, ...more });

test('the same Idempotency-Key and address are the same request, another address is another', async () => {
  const headers = { 'idempotency-key': 'k' };
  const first = Job.parse(await (await api.post('/ingest', page('https://example.com/a'), { headers })).json());
  const again = Job.parse(await (await api.post('/ingest', page('https://example.com/a'), { headers })).json());
  expect(again.id).toBe(first.id);
  expect((await api.post('/ingest', page('https://example.com/b'), { headers })).status).toBe(422);
});

describe.each(['url', 'git'])('a user name or password in the address of a %s source', (type) => {
  const addresses = [
    'https://keeper:s3cret@example.com/a',
    'https://s3cret@example.com/a',
    'https://:s3cret@example.com/',
  ];
  const sources = addresses.map((url) => ({ type, url }));
  const stored = async () => [...api.flow.blobs.blobs.entries()].map(([, bytes]) => new TextDecoder().decode(bytes));

  test('is refused with the request, dry or not, told by its field and not repeated', async () => {
    for (const source of sources) {
      for (const path of ['/ingest', '/ingest?dryRun=true']) {
        const answer = await api.post(path, { source });
        const text = await answer.text();
        expect([answer.status, JSON.parse(text)]).toMatchObject([
          400,
          {
            error: {
              code: 'invalid_request',
              details: { faults: [{ path: expect.stringMatching(/^body\.source\.url$/) }] },
            },
          },
        ]);
        expect(text).not.toContain('s3cret');
      }
    }
    expect(api.flow.blobs.blobs.size).toBe(0);
  });

  test('is refused item by item in a batch, and written down nowhere', async () => {
    const items = [...sources, { type, url: 'https://example.com/a?at=@' }].map((source) => ({ source }));
    const answer = await api.post('/ingest/batch', { items });
    const text = await answer.text();
    const { jobs } = JSON.parse(text) as { jobs: Job[] };
    expect(jobs.map(({ state, error }) => error?.code ?? state)).toEqual([
      ...sources.map(() => 'invalid_request'),
      'queued',
    ]);
    expect(jobs[0]?.error?.message).toContain('item.source.url');
    expect(text).not.toContain('s3cret');
    expect((await stored()).join()).not.toContain('s3cret');
  });
});

test.each(['url', 'git'])('of a %s source that is no address one fault is told', async (type) => {
  const answer = await api.post('/ingest', { source: { type, url: 'nowhere' } });
  const { error } = (await answer.json()) as { error: { details: { faults: unknown[] } } };
  expect([answer.status, error.details.faults]).toMatchObject([400, [{ path: 'body.source.url' }]]);
  expect(error.details.faults).toHaveLength(1);
});

test('an address whose document is in another namespace is a conflict', async () => {
  await api.ingested('Tides.', { documentId: 'tides', namespace: 'other' });
  const answer = await api.post('/ingest', page('https://example.com/a', { documentId: 'tides' }));
  expect([answer.status, await answer.json()]).toMatchObject([409, { error: { code: 'conflict' } }]);
});

test('a file without a name is called by its document’s id', async () => {
  const answer = await api.call('/ingest', {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: '--b\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: application/octet-stream\r\n\r\nTides.\r\n--b--\r\n',
  });
  expect(answer.status).toBe(202);
  const { documentId } = Job.parse(await answer.json());
  expect(await (await api.call(`/documents/${documentId}`)).json()).toMatchObject({ title: documentId });
});

test('a field that is too long, or given twice, is refused with the others, and nothing is kept', async () => {
  const form = new FormData();
  form.append('file', new Blob(['x']), 'a.txt');
  form.append('title', 'x'.repeat(1024 * 1024 + 1));
  form.append('documentId', 'a');
  form.append('documentId', 'b');
  const answer = await api.call('/ingest', { method: 'POST', body: form });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: {
      details: {
        faults: [
          { path: 'fields.title', message: 'is longer than 1048576 bytes' },
          { path: 'fields.documentId', message: 'is given twice' },
        ],
      },
    },
  });
  expect([...api.flow.blobs.blobs.keys()]).toEqual([]);
});

test('a form that does not say its length is read like any other', async () => {
  const form = new FormData();
  form.append('file', new Blob(['Tides.']), 'tides.txt');
  const whole = new Request('http://x', { method: 'POST', body: form });
  const answer = await api.call('/ingest', {
    method: 'POST',
    body: ReadableStream.from([new Uint8Array(await whole.clone().arrayBuffer())]),
    headers: { 'content-type': whole.headers.get('content-type') ?? '' },
    duplex: 'half',
  } as RequestInit);
  expect(answer.status).toBe(202);
});
