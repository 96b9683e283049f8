import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { s3Timing } from './bucket.ts';
import { openObjects } from './read-objects.ts';
import { type ScriptedServer, s3Error, startScriptedServer } from './testing/scripted-server.ts';

/** What servers say that the one of the other tests does not. */
let server: ScriptedServer;
let objects: ReturnType<typeof openObjects>;
beforeEach(async () => {
  server = await startScriptedServer();
  objects = openObjects(server.settings, s3Timing);
});
afterEach(async () => {
  objects.close();
  await server.close();
});

const never = new AbortController().signal;
const fetchIt = (signal = never) =>
  objects.fetch({ bucket: 'bucket', key: 'a/b' }, { maxBytes: 10, timeoutMs: 10_000 }, signal);

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test.each([
  [403, 'AccessDenied', 'fetch_forbidden', 'never'],
  [403, 'InvalidObjectState', 'fetch_failed', 'never'],
  [403, 'SignatureDoesNotMatch', 'dependency_unavailable', 'wait'],
  [401, 'Unauthorized', 'dependency_unavailable', 'wait'],
  [400, 'ExpiredToken', 'dependency_unavailable', 'wait'],
  [301, 'PermanentRedirect', 'dependency_unavailable', 'wait'],
  [400, 'InvalidRequest', 'fetch_failed', 'never'],
  [404, 'NoSuchKey', 'fetch_failed', 'never'],
  [404, 'NoSuchBucket', 'fetch_failed', 'never'],
  [429, 'TooManyRequests', 'dependency_unavailable', 'wait'],
  [503, 'SlowDown', 'dependency_unavailable', 'wait'],
  [500, 'InternalError', 'dependency_unavailable', 'wait'],
])(
  'status %i %s means %s for an object and for a list: %s',
  async (status, name, code, kind) => {
    server.answer = () => s3Error(status, name);
    await expect(fetchIt()).rejects.toMatchObject({ code, retry: { kind } });
    const listed = all(objects.list({ bucket: 'bucket', prefix: '' }, never));
    await expect(listed).rejects.toMatchObject({ code, retry: { kind } });
  },
  30_000,
);

test('an object of unknown length is read to its end, and its type is left out where it says nothing', async () => {
  const headers = { 'content-type': 'binary/octet-stream' };
  server.answer = () => ({ status: 200, headers, body: 'bytes' });
  const { body, ...facts } = await fetchIt();
  expect(facts).toEqual({ filename: 'b' });
  expect(Buffer.concat(await all(body)).toString()).toBe('bytes');
});

test('a key that ends in no name has none', async () => {
  server.answer = () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'bytes' });
  const { body: _, ...facts } = await objects.fetch(
    { bucket: 'bucket', key: 'folder/' },
    { maxBytes: 10, timeoutMs: 10_000 },
    never,
  );
  expect(facts).toEqual({ mediaType: 'text/plain' });
});

test('a list may say nothing of sizes, and be empty', async () => {
  const answers = [
    '<IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken>',
    '<Contents><Key>a</Key></Contents>',
  ];
  server.answer = () => ({
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<ListBucketResult>${answers.shift()}</ListBucketResult>`,
  });
  expect(await all(objects.list({ bucket: 'bucket', prefix: '' }, never))).toEqual([[], [{ key: 'a', bytes: 0 }]]);
  expect(server.seen[1]).toContain('continuation-token=more');
});

test('whoever stopped waiting says why', async () => {
  const reason = new MemoryError('cancelled', 'The job was cancelled.');
  await expect(fetchIt(AbortSignal.abort(reason))).rejects.toBe(reason);
  await expect(fetchIt(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  const listed = all(objects.list({ bucket: 'bucket', prefix: '' }, AbortSignal.abort()));
  await expect(listed).rejects.toMatchObject({ code: 'cancelled' });
});

test('what is not waited for any more when it comes to be read is not read', async () => {
  server.answer = () => ({ status: 200, headers: { 'content-length': '5' }, body: 'bytes' });
  const stopped = new AbortController();
  const { body } = await fetchIt(stopped.signal);
  stopped.abort();
  await expect(all(body)).rejects.toMatchObject({ code: 'cancelled' });
});
