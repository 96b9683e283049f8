import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { ListedObject } from '@semantic-memory/shared/ports/fetcher';
import { startTestS3Server } from '@semantic-memory/shared/testing/s3-server';
import { openServer, type S3ServerSettings, s3Timing } from './bucket.ts';
import { createS3ObjectFetcher, type S3ObjectFetcher } from './object-fetcher.ts';
import { type FaultProxy, startFaultProxy } from './testing/fault-proxy.ts';

const server = await startTestS3Server();
const limits = { maxBytes: 1_000_000, timeoutMs: 10_000 };
const impatient = { connectMs: 300, callMs: 600, idleMs: 300 };
const never = new AbortController().signal;
jest.setTimeout(30_000);

if ('missing' in server) {
  process.stderr.write(`skipped: tool missing: ${server.missing}\n`);
  test.skip(`skipped: tool missing: ${server.missing}`, () => {});
} else {
  const { bucket, ...settings } = server.settings;
  const writer = openServer(settings, s3Timing);
  const fetchers: S3ObjectFetcher[] = [];
  const open = (changes: Partial<S3ServerSettings> = {}, timing = {}) => {
    const fetcher = createS3ObjectFetcher({ ...settings, ...changes }, { timing });
    fetchers.push(fetcher);
    return fetcher;
  };
  const put = (key: string, body: string | Uint8Array, facts: { type?: string; disposition?: string } = {}) =>
    writer.call(5_000, (client) =>
      client.send(
        new PutObjectCommand({
          ...{ Bucket: bucket, Key: key, Body: body },
          ContentType: facts.type,
          ContentDisposition: facts.disposition,
        }),
      ),
    );
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await startFaultProxy(settings.endpoint);
  });
  afterEach(async () => {
    proxy.fault = () => undefined;
    for (const fetcher of fetchers.splice(0)) await fetcher.close();
  });
  afterAll(async () => {
    writer.close();
    await proxy.close();
    await server.stop();
  });

  test('gives the bytes of an object, with what its owner says of them', async () => {
    const folder = randomUUID();
    await put(`${folder}/tide tables+é.html`, '<p>Tides.</p>', { type: 'text/html; charset=UTF-8' });
    const page = await open().fetch({ bucket, key: `${folder}/tide tables+é.html` }, limits, never);
    expect(page).toMatchObject({ mediaType: 'text/html; charset=utf-8', filename: 'tide tables+é.html' });
    expect(await textOf(page.body)).toBe('<p>Tides.</p>');
    await put(`${folder}/x`, 'bytes', { disposition: 'attachment; filename="report.pdf"' });
    const named = await open().fetch({ bucket, key: `${folder}/x` }, limits, never);
    expect(named).toEqual({ body: expect.anything(), filename: 'report.pdf' });
    expect(await textOf(named.body)).toBe('bytes');
  });

  test('lists what begins with a prefix, in pages, and nothing else', async () => {
    const folder = randomUUID();
    const keys = Array.from({ length: 1_020 }, (_, n) => `${folder}/many/${n}`);
    for (let from = 0; from < keys.length; from += 50) {
      await Promise.all(keys.slice(from, from + 50).map((key) => put(key, 'x')));
    }
    await put(`${folder}/other`, 'xyz');
    const pages = await all(open().list({ bucket, prefix: `${folder}/many/` }, never));
    expect(pages.map((page) => page.length)).toEqual([1_000, 20]);
    expect(pages.flat().map(({ key }) => key)).toEqual(keys.toSorted());
    expect(await all(open().list({ bucket, prefix: `${folder}/oth` }, never))).toEqual([
      [{ key: `${folder}/other`, bytes: 3 } satisfies ListedObject],
    ]);
    expect(await all(open().list({ bucket, prefix: `${folder}/none` }, never))).toEqual([[]]);
  }, 60_000);

  test('an object that is too large is not read, and one that is not there is said not to be', async () => {
    const key = randomUUID();
    await put(key, randomBytes(2_000));
    const fetched = open().fetch({ bucket, key }, { ...limits, maxBytes: 1_999 }, never);
    await expect(fetched).rejects.toMatchObject({ code: 'too_large', details: { maxBytes: 1_999 } });
    await expect(open().fetch({ bucket, key: 'gone' }, limits, never)).rejects.toMatchObject({
      code: 'fetch_failed',
      message: 'There is no such object in the bucket.',
    });
    await expect(open().fetch({ bucket: 'another', key }, limits, never)).rejects.toMatchObject({
      code: 'fetch_failed',
      message: 'There is no such bucket.',
    });
  });

  test.each(['cut the answer', 'stall the answer'] as const)(
    'half an object is never taken for the whole: %s',
    async (fault) => {
      const key = randomUUID();
      await put(key, randomBytes(100_000));
      proxy.fault = () => fault;
      const { body } = await open({ endpoint: proxy.endpoint }, impatient).fetch({ bucket, key }, limits, never);
      await expect(all(body)).rejects.toMatchObject({ code: 'dependency_unavailable', retry: { kind: 'wait' } });
    },
  );

  test('who is no longer waited for stops in the middle, and what takes too long is tried again later', async () => {
    const key = randomUUID();
    await put(key, randomBytes(100_000));
    proxy.fault = () => 'stall the answer';
    const begin = (signal: AbortSignal, timeoutMs = 10_000) =>
      open({ endpoint: proxy.endpoint }).fetch({ bucket, key }, { ...limits, timeoutMs }, signal);
    const cancelled = new AbortController();
    const { body } = await begin(cancelled.signal);
    const reading = all(body);
    cancelled.abort();
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
    const slow = await begin(never, 300);
    await expect(all(slow.body)).rejects.toMatchObject({ code: 'fetch_failed', retry: { kind: 'backoff' } });
  });

  test('a server that is away, or hangs, is waited for', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    await new Promise((resolve) => silent.close(resolve));
    proxy.fault = () => 'hang';
    const away = { code: 'dependency_unavailable', retry: { kind: 'wait' } };
    for (const endpoint of [`http://127.0.0.1:${port}`, proxy.endpoint]) {
      const fetcher = open({ endpoint }, impatient);
      await expect(fetcher.fetch({ bucket, key: 'a' }, limits, never)).rejects.toMatchObject(away);
      await expect(all(fetcher.list({ bucket, prefix: '' }, never))).rejects.toMatchObject(away);
    }
  });

  test('a wrong key is an operator’s to put right, and no error shows the secret', async () => {
    const credentials = { ...settings.credentials, secretAccessKey: 'a-wrong-secret-that-nobody-may-see' };
    const error = await open({ credentials })
      .fetch({ bucket, key: 'a' }, limits, never)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'dependency_unavailable', hint: expect.stringContaining('SOURCE_S3_') });
    expect(inspect(error, { depth: 10 })).not.toContain(credentials.secretAccessKey);
  });

  test('naming it opens nothing, and closing what was never used is nothing either', async () => {
    const before = proxy.seen.length;
    await createS3ObjectFetcher({ ...settings, endpoint: proxy.endpoint }).close();
    expect(proxy.seen).toHaveLength(before);
  });
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await all(body)).toString();
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
