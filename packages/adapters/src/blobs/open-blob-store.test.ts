import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { silentLogger as logger } from '@semantic-memory/shared/testing/in-memory-flow';
import { startFaultProxy } from '../s3/testing/fault-proxy.ts';
import { openBlobStore } from './open-blob-store.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

test('without a bucket blobs are files of the folder that is configured', async () => {
  const blobDir = await mkdtemp(join(tmpdir(), 'open-blob-store-'));
  closers.push(() => rm(blobDir, { recursive: true }));
  const { blobs, close } = await openBlobStore({ blobDir, s3: undefined, logger });
  await blobs.put('a/b', Uint8Array.of(7));
  await close();
  expect([...(await readFile(join(blobDir, 'a', 'b')))]).toEqual([7]);
});

test('with a bucket they are its objects, and nothing is written to the folder', async () => {
  const server = await startFaultProxy('http://127.0.0.1:1');
  closers.push(() => server.close());
  server.fault = () => 'say it is written';
  const s3 = {
    ...{ bucket: 'b', prefix: 'p/', region: 'us-east-1', endpoint: server.endpoint, forcePathStyle: true },
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
  };
  const { blobs, close } = await openBlobStore({ blobDir: '/does/not/exist', s3, logger });
  await blobs.put('a/b', Uint8Array.of(7));
  await close();
  expect(server.seen).toEqual(['PUT /b/p/a/b?x-id=PutObject']);
});
