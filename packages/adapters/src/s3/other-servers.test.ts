import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLogger } from '@semantic-memory/shared/testing/in-memory-flow';
import { createS3BlobStore, type S3BlobStore, type S3StoreOptions } from './blob-store.ts';
import { openBucket, s3Timing } from './bucket.ts';
import { type ScriptedAnswer, type ScriptedServer, s3Error, startScriptedServer } from './testing/scripted-server.ts';
import { abandonLeftovers, partBytes } from './upload-in-parts.ts';

/** What servers say that the one of the other tests does not. */
let server: ScriptedServer;
let store: S3BlobStore;
const open = (options: Partial<S3StoreOptions> = {}) => {
  store = createS3BlobStore(server.settings, { logger: silentLogger, ...options });
  return store;
};
beforeEach(async () => {
  server = await startScriptedServer();
});
afterEach(async () => {
  await store.close();
  await server.close();
});

const bytes = Uint8Array.of(1, 2, 3);
const ok: ScriptedAnswer = { status: 200 };
const taken = s3Error(412, 'PreconditionFailed');
const undecided = s3Error(409, 'ConditionalRequestConflict');
const xml = (body: string): ScriptedAnswer => ({ ...ok, headers: { 'content-type': 'application/xml' }, body });
const isProbe = (url = '') => url.includes('conditional-writes');
/** Answers about blobs; the server obeys conditional writes. */
const script = (answer: (method: string, url: string) => ScriptedAnswer) => {
  server.answer = ({ method = '', url = '' }) => (isProbe(url) ? taken : answer(method, url));
};
const away = { code: 'dependency_unavailable', retry: { kind: 'wait' } };

async function* pieces(count: number, size: number) {
  for (let n = 0; n < count; n += 1) yield new Uint8Array(size).fill(n);
}

test('megabytes have the time of a transfer, a small blob that of a call', async () => {
  script(() => ({ ...ok, afterMs: 300 }));
  open({ timing: { callMs: 100, transferMs: 60_000 } });
  await store.put('large', new Uint8Array(2 ** 21));
  await expect(store.put('small', bytes)).rejects.toMatchObject({
    ...away,
    message: expect.stringContaining('in time'),
  });
});

test('a server that says that what is to be removed is not there has removed it', async () => {
  script(() => s3Error(404, 'NoSuchKey'));
  await open().remove('a');
  script(() => s3Error(500, 'InternalError'));
  await expect(store.remove('a')).rejects.toMatchObject(away);
});

test('a server that deletes some of many blobs is asked again by whoever asked', async () => {
  script((method) =>
    method === 'GET'
      ? xml(
          '<ListBucketResult><Contents><Key>a/1</Key></Contents><Contents><Key>a/2</Key></Contents></ListBucketResult>',
        )
      : xml('<DeleteResult><Error><Key>a/2</Key><Code>InternalError</Code></Error></DeleteResult>'),
  );
  await expect(open().removePrefix('a/')).rejects.toMatchObject({
    ...away,
    message: 'The S3 server did not delete 1 blobs.',
  });
});

test('what the store keeps for itself is in no list', async () => {
  script(() =>
    xml(
      '<ListBucketResult><Contents><Key>.tmp/conditional-writes</Key></Contents><Contents><Key>a</Key></Contents></ListBucketResult>',
    ),
  );
  const keys: string[] = [];
  for await (const key of open().list('')) keys.push(key);
  expect(keys).toEqual(['a']);
});

test('a key that was deleted between the refusal and the look is written', async () => {
  const answers = [taken, { status: 404 }, ok];
  script(() => answers.shift() ?? ok);
  expect(await open().putIfAbsent('a', bytes)).toBe(true);
  expect(server.seen.slice(-3).map((line) => line.split('?')[0])).toEqual(['PUT /b/a', 'HEAD /b/a', 'PUT /b/a']);
});

test('bytes that nobody signed are another’s', async () => {
  const answers = [taken, ok];
  script(() => answers.shift() ?? ok);
  expect(await open().putIfAbsent('a', bytes)).toBe(false);
});

test('a look that fails decides nothing', async () => {
  script((method) => (method === 'PUT' ? taken : { status: 403 }));
  await expect(open().putIfAbsent('a', bytes)).rejects.toMatchObject(away);
});

test('a write that fails otherwise is not tried again', async () => {
  script(() => s3Error(507, 'InsufficientStorage'));
  await expect(open().putIfAbsent('a', bytes)).rejects.toMatchObject({
    ...away,
    message: expect.stringContaining('room'),
  });
});

test('a race that the server does not decide is given up', async () => {
  script(() => undecided);
  await expect(open().putIfAbsent('a', bytes)).rejects.toMatchObject({
    ...away,
    message: 'The S3 server did not decide between writers in time.',
  });
});

test('a body that is longer or shorter than was said is never taken for the whole', async () => {
  // Without a length of its own: the answer ends where the connection says so.
  script(() => ({ ...ok, headers: { 'transfer-encoding': 'chunked' }, body: 'three' }));
  await expect(open().get('a')).rejects.toMatchObject({ ...away, message: 'The S3 server sent 5 of 0 bytes.' });
});

const created = xml('<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>');

test('a stream that ends with a part has no empty one behind it', async () => {
  script((method, url) => {
    if (method === 'GET') return xml('<ListMultipartUploadsResult></ListMultipartUploadsResult>');
    if (method === 'POST' && url.includes('uploads')) return created;
    return method === 'POST' ? xml('<CompleteMultipartUploadResult/>') : { ...ok, headers: { etag: '"e"' } };
  });
  const stored = await open().putStream('a', pieces(4, partBytes / 2), { maxBytes: 1e9 });
  const hash = createHash('sha256');
  for await (const piece of pieces(4, partBytes / 2)) hash.update(piece);
  expect(stored).toEqual({ bytes: 2 * partBytes, sha256: hash.digest('hex') });
  expect(server.seen.filter((line) => line.startsWith('PUT'))).toHaveLength(2);
});

test('where neither a part nor the end of the upload gets through the first error is told', async () => {
  const logged: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void logged.push(message) };
  script((method, url) => {
    if (method === 'POST' && url.includes('uploads')) return created;
    return method === 'PUT' ? s3Error(507, 'InsufficientStorage') : s3Error(403, 'AccessDenied');
  });
  const stored = open({ logger }).putStream('a', pieces(5, partBytes / 2), { maxBytes: 1e9 });
  await expect(stored).rejects.toMatchObject({ ...away, message: expect.stringContaining('room') });
  expect(server.seen.filter((line) => line.startsWith('DELETE'))).toHaveLength(1);
  // That what others left could not be looked for either is no reason to write nothing.
  expect(logged).toEqual(['unfinished uploads of processes that are gone could not be removed']);
});

test('of many unfinished uploads, which come in pages, those of long ago are abandoned', async () => {
  const upload = (key: string, day: number) =>
    `<Upload><Key>${key}</Key><UploadId>u-${key}</UploadId><Initiated>2026-01-0${day}T00:00:00.000Z</Initiated></Upload>`;
  script((method, url) => {
    if (method === 'DELETE') return { status: 204 };
    return url.includes('key-marker=b')
      ? xml(`<ListMultipartUploadsResult>${upload('c', 1)}</ListMultipartUploadsResult>`)
      : xml(
          `<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>b</NextKeyMarker><NextUploadIdMarker>u-b</NextUploadIdMarker>${upload('a', 1)}${upload('b', 4)}</ListMultipartUploadsResult>`,
        );
  });
  open();
  const bucket = openBucket(server.settings, s3Timing);
  await abandonLeftovers(bucket, s3Timing, Date.parse('2026-01-04T12:00:00.000Z'));
  bucket.close();
  const abandoned = server.seen
    .filter((line) => line.startsWith('DELETE'))
    .map((line) => /uploadId=([^&]*)/.exec(line)?.[1]);
  expect(abandoned).toEqual(['u-a', 'u-c']);
});

test('a disk that takes no local copies is told, and it is not the server’s', async () => {
  script(() => ({ ...ok, headers: { 'content-length': '5' }, body: 'bytes' }));
  const copied = open({ temporaryDirectory: '/does/not/exist' }).localFile('a');
  await expect(copied).rejects.toMatchObject({ ...away, hint: expect.stringContaining('TMPDIR') });
});

test('without an endpoint it is Amazon’s, and without credentials those of the environment', async () => {
  open();
  const { endpoint: _, credentials: __, ...amazon } = server.settings;
  const bucket = openBucket({ ...amazon, region: 'eu-central-1', forcePathStyle: false }, s3Timing);
  const before = { ...process.env };
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'of-the-role', AWS_SECRET_ACCESS_KEY: 'secret' });
  try {
    const [region, credentials, endpoint] = await bucket.call(1000, ({ config }) =>
      Promise.all([config.region(), config.credentials(), config.endpoint?.()]),
    );
    expect([region, credentials.accessKeyId, endpoint]).toEqual(['eu-central-1', 'of-the-role', undefined]);
  } finally {
    process.env = before;
    bucket.close();
  }
});
