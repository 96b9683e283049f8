import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { BlobStore } from '@semantic-memory/shared/ports/blob-store';
import { blobStoreSuite } from '@semantic-memory/shared/testing/blob-store-suite';
import { silentLogger } from '@semantic-memory/shared/testing/in-memory-flow';
import { startTestS3Server } from '@semantic-memory/shared/testing/s3-server';
import { createS3BlobStore, type S3BlobStore, type S3StoreOptions } from './blob-store.ts';
import { openBucket, type S3Settings, s3Timing } from './bucket.ts';
import { type Fault, type FaultProxy, startFaultProxy } from './testing/fault-proxy.ts';
import { abandonLeftovers } from './upload-in-parts.ts';

const server = await startTestS3Server();
const bytes = new TextEncoder().encode('bytes');
const megabyte = 1024 * 1024;
/** Short deadlines, for servers that do not answer. */
// Calls that are repeated until a deadline take their time on a busy machine.
jest.setTimeout(30_000);

const impatient = { connectMs: 300, callMs: 600, transferMs: 600, idleMs: 300, checkMs: 300 };

if ('missing' in server) {
  process.stderr.write(`skipped: tool missing: ${server.missing}\n`);
  test.skip(`skipped: tool missing: ${server.missing}`, () => {});
} else {
  const { settings } = server;
  const stores: S3BlobStore[] = [];
  const open = (changes: Partial<S3Settings> = {}, options: Partial<S3StoreOptions> = {}) => {
    const store = createS3BlobStore({ ...settings, ...changes }, { logger: silentLogger, ...options });
    stores.push(store);
    return store;
  };
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
  });
  afterAll(() => server.stop());

  blobStoreSuite('in a bucket', async () => {
    const store = createS3BlobStore({ ...settings, prefix: `${randomUUID()}/` }, { logger: silentLogger });
    return { store, close: () => store.close() };
  });

  test('installations with prefixes of their own share a bucket and see nothing of each other', async () => {
    const [one, other] = [open({ prefix: `${randomUUID()}/` }), open({ prefix: `${randomUUID()}/` })];
    await one.put('a/b', bytes);
    expect(await other.has('a/b')).toBe(false);
    expect(await all(other.list(''))).toEqual([]);
    await other.copy('a/b', 'c').catch(() => {});
    expect(await other.has('c')).toBe(false);
  });

  test('lists and removes more blobs than one answer of the server holds', async () => {
    const store = open({ prefix: `${randomUUID()}/` });
    const keys = Array.from({ length: 1_050 }, (_, n) => `many/${n}`);
    for (let from = 0; from < keys.length; from += 50) {
      await Promise.all(keys.slice(from, from + 50).map((key) => store.put(key, new Uint8Array())));
    }
    expect((await all(store.list('many/'))).sort()).toEqual(keys.toSorted());
    expect(await store.removePrefix('many/')).toBe(1_050);
    expect(await all(store.list(''))).toEqual([]);
  }, 60_000);

  describe('large streams', () => {
    const uploadsUnder = async (prefix: string): Promise<(string | undefined)[]> => {
      const bucket = openBucket(settings, s3Timing);
      const list = new ListMultipartUploadsCommand({ Bucket: settings.bucket, Prefix: prefix });
      const { Uploads = [] } = await bucket.call(5_000, (client, abortSignal) => client.send(list, { abortSignal }));
      bucket.close();
      return Uploads.map(({ Key }) => Key);
    };
    async function* pieces(count: number, piece: Uint8Array, end?: Error) {
      for (let n = 0; n < count; n += 1) yield piece;
      if (end) throw end;
    }

    test('are written in parts, hashed on the way, and come back as they were', async () => {
      const store = open({ prefix: `${randomUUID()}/` });
      const piece = randomBytes(700_001);
      const stored = await store.putStream('large', pieces(30, piece), { maxBytes: 30 * piece.length });
      const hash = createHash('sha256');
      for (let n = 0; n < 30; n += 1) hash.update(piece);
      expect(stored).toEqual({ bytes: 30 * piece.length, sha256: hash.digest('hex') });
      const back = createHash('sha256');
      const read = await store.getStream('large');
      for await (const part of read?.stream ?? []) back.update(part);
      expect(back.digest('hex')).toBe(stored.sha256);
      await store.copy('large', 'second');
      expect((await store.get('second'))?.byteLength).toBe(stored.bytes);
    }, 30_000);

    test('that break off, or are too large, leave nothing: neither a blob nor parts that nobody sees', async () => {
      const prefix = `${randomUUID()}/`;
      const store = open({ prefix });
      const broken = new Error('the sender went away');
      const piece = randomBytes(megabyte);
      await expect(store.putStream('s', pieces(20, piece, broken), { maxBytes: 1e9 })).rejects.toBe(broken);
      await expect(store.putStream('s', pieces(20, piece), { maxBytes: 19 * megabyte })).rejects.toMatchObject({
        code: 'request_too_large',
      });
      expect(await all(store.list(''))).toEqual([]);
      expect(await uploadsUnder(prefix)).toEqual([]);
    }, 30_000);

    test('that a killed process began are abandoned a day later, not earlier', async () => {
      const prefix = `${randomUUID()}/`;
      const bucket = openBucket({ ...settings, prefix }, s3Timing);
      const begin = new CreateMultipartUploadCommand({ Bucket: settings.bucket, Key: bucket.keyOf('a/b') });
      await bucket.call(5_000, (client, abortSignal) => client.send(begin, { abortSignal }));
      await abandonLeftovers(bucket, s3Timing, Date.now() + 23 * 3_600_000);
      expect(await uploadsUnder(prefix)).toEqual([`${prefix}a/b`]);
      await abandonLeftovers(bucket, s3Timing, Date.now() + 25 * 3_600_000);
      expect(await uploadsUnder(prefix)).toEqual([]);
      bucket.close();
    });
  });

  describe('local files', () => {
    test('are gone once they are disposed of, or the store is closed', async () => {
      const folder = await mkdtemp(join(tmpdir(), 's3-local-'));
      const store = open({ prefix: `${randomUUID()}/` }, { temporaryDirectory: folder });
      await store.put('a', bytes);
      const [one, other] = [await store.localFile('a'), await store.localFile('a')];
      await one.dispose();
      await expect(stat(one.path)).rejects.toThrow('ENOENT');
      await one.dispose();
      expect((await stat(other.path)).mode & 0o777).toBe(0o600);
      await store.close();
      expect(await readdir(folder)).toEqual([]);
      await rm(folder, { recursive: true });
    });
  });

  describe('behind a bad connection', () => {
    let proxy: FaultProxy;
    beforeAll(async () => {
      proxy = await startFaultProxy(settings.endpoint);
    });
    afterEach(() => {
      proxy.fault = () => undefined;
    });
    afterAll(() => proxy.close());
    const faulty = (timing?: Partial<typeof impatient>) =>
      open({ endpoint: proxy.endpoint, prefix: `${randomUUID()}/` }, timing ? { timing } : {});
    /** Does this to the first such request only. */
    const onceTo = (method: string, fault: Fault): FaultProxy['fault'] => {
      let done = false;
      return (request) => {
        if (done || request.method !== method) return undefined;
        done = true;
        return fault;
      };
    };

    test('a conditional write whose answer is lost was made, and its writer is told so', async () => {
      const store = faulty();
      await store.putIfAbsent('before', bytes);
      proxy.fault = onceTo('PUT', 'lose the answer');
      expect(await store.putIfAbsent('a', bytes)).toBe(true);
      expect(proxy.seen.filter((line) => /^PUT .*\/a(\?|$)/.test(line)).length).toBeGreaterThan(1);
      expect(await store.putIfAbsent('a', bytes)).toBe(false);
    });

    test('of two writers with equal bytes one is told that it wrote, also where an answer is lost', async () => {
      const store = faulty();
      await store.putIfAbsent('a', bytes);
      proxy.fault = onceTo('PUT', 'lose the answer');
      expect(await store.putIfAbsent('a', bytes)).toBe(false);
      const prefix = `${randomUUID()}/`;
      const processes = [1, 2, 3].map(() => open({ endpoint: proxy.endpoint, prefix }));
      for (let round = 0; round < 5; round += 1) {
        proxy.fault = onceTo('PUT', 'lose the answer');
        const won = await Promise.all(processes.map((process) => process.putIfAbsent(`race/${round}`, bytes)));
        expect(won.filter(Boolean)).toHaveLength(1);
      }
    });

    test.each(['cut the answer', 'stall the answer'] as const)(
      'half a body is never taken for the whole: %s',
      async (fault) => {
        const store = faulty({ idleMs: 100 });
        await store.put('a', randomBytes(100_000));
        proxy.fault = (request) => (request.method === 'GET' ? fault : undefined);
        const away = { code: 'dependency_unavailable', retry: { kind: 'wait' } };
        await expect(store.get('a')).rejects.toMatchObject(away);
        await expect(store.localFile('a')).rejects.toMatchObject(away);
        const read = await store.getStream('a');
        await expect(all(read?.stream ?? once(bytes))).rejects.toMatchObject(away);
      },
    );

    test('a server that takes a conditional write for a plain one is refused', async () => {
      proxy.fault = (request) => (request.method === 'PUT' ? 'say it is written' : undefined);
      const message = 'The S3 server does not obey conditional writes.';
      await expect(faulty().putIfAbsent('a', bytes)).rejects.toMatchObject({ code: 'dependency_unavailable', message });
      await expect(faulty().check()).rejects.toMatchObject({ code: 'dependency_unavailable', message });
    });

    test('every call ends by its deadline where nobody answers, and works again in the same store afterwards', async () => {
      const store = faulty(impatient);
      await store.putIfAbsent('a', bytes);
      proxy.fault = () => 'hang';
      await expectAway(store, 'did not answer in time');
      proxy.fault = () => undefined;
      expect(await store.get('a')).toEqual(Buffer.from(bytes));
      await store.check();
    }, 30_000);
  });

  test('says that it is away where nothing listens, and never that a blob is not there', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    await new Promise((resolve) => silent.close(resolve));
    await expectAway(open({ endpoint: `http://127.0.0.1:${port}` }), 'cannot be reached');
  }, 30_000);

  test('a bucket that is not there is a fault of the settings, and never means that a blob is not there', async () => {
    await expectAway(open({ bucket: 'another' }), 'The S3 bucket does not exist', ['put', 'putStream', 'putIfAbsent']);
  });

  test('a wrong key is a fault of the settings, and no error shows the secret', async () => {
    const credentials = { ...settings.credentials, secretAccessKey: 'a-wrong-secret-that-nobody-may-see' };
    for (const error of await expectAway(open({ credentials }), 'refuses the credentials')) {
      expect(inspect(error, { depth: 10 })).not.toContain(credentials.secretAccessKey);
    }
  });
}

/** Every call fails as `dependency_unavailable`, and soon. Returns the errors. */
async function expectAway(store: BlobStore, message: string, leaveOut: readonly string[] = []): Promise<unknown[]> {
  const calls: Record<string, () => Promise<unknown>> = {
    put: () => store.put('a', bytes),
    putIfAbsent: () => store.putIfAbsent('b', bytes),
    copy: () => store.copy('a', 'c'),
    move: () => store.move('a', 'd'),
    putStream: () => store.putStream('s', once(bytes), { maxBytes: 10 }),
    get: () => store.get('a'),
    getStream: () => store.getStream('a'),
    has: () => store.has('a'),
    list: () => all(store.list('a/')),
    remove: () => store.remove('a'),
    removePrefix: () => store.removePrefix('a/'),
    localFile: () => store.localFile('a'),
    check: () => store.check(),
  };
  const began = Date.now();
  const tried = Object.entries(calls).filter(([name]) => !leaveOut.includes(name));
  const outcomes = await Promise.all(
    tried.map(async ([name, call]) => {
      try {
        return { name, result: await call() };
      } catch (error) {
        return { name, error };
      }
    }),
  );
  const error = { code: 'dependency_unavailable', retry: { kind: 'wait' }, message: expect.stringContaining(message) };
  expect(outcomes).toMatchObject(tried.map(([name]) => ({ name, error })));
  expect(Date.now() - began).toBeLessThan(3_000);
  return outcomes.map((outcome) => outcome.error);
}

async function* once(part: Uint8Array): AsyncGenerator<Uint8Array> {
  yield part;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
