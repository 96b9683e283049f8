import { once } from 'node:events';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ErrorBody } from '@semantic-memory/shared/contracts/errors';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import { type ApiProcess, spawnApi } from './testing/api-process.ts';
import { secret, startTestApi, type TestApi, tokenFor } from './testing/test-api.ts';

const second = 1000;
const megabyte = 1024 * 1024;

/** All that comes back on a connection until it closes, or `withinMs` have passed. */
async function answerOf(socket: Socket, withinMs = 10 * second): Promise<string> {
  let text = '';
  socket.on('data', (piece) => {
    text += piece.toString();
  });
  socket.on('error', () => {});
  const timer = setTimeout(() => socket.destroy(new Error('still open')), withinMs);
  await once(socket, 'close').catch(() => {});
  clearTimeout(timer);
  return text;
}

/** Status and error of the first answer in a text. */
function errorIn(text: string) {
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return {
    status: Number(status),
    ...ErrorBody.parse(JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1))).error,
  };
}

const head = (path: string, headers: Record<string, string | number>) =>
  `POST ${apiPrefix}${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenFor('acme')}\r\n${Object.entries(
    headers,
  )
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
const filePart = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n';
const formHead = (length: number) =>
  head('/ingest', { 'Content-Type': 'multipart/form-data; boundary=b', 'Content-Length': length });

describe('connections that are slow or wrong', () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await startTestApi((deps) => ({ limits: { ...deps.limits, uploadIdleMs: 200 } }), {
      headersMs: 300,
      requestMs: 900,
      silentMs: 5000,
      keepAliveMs: 5000,
      checkMs: 50,
    });
  });
  afterEach(() => api.close());
  const open = () => connect(api.server.port, '127.0.0.1').on('error', () => {});

  test('headers that trickle in are cut off in time, with an answer', async () => {
    const socket = open();
    socket.write(`POST ${apiPrefix}/ingest HTTP/1.1\r\n`);
    const drip = setInterval(() => socket.writable && socket.write('x-a: 1\r\n'), 40);
    const error = errorIn(await answerOf(socket));
    clearInterval(drip);
    expect(error).toMatchObject({ status: 408, code: 'invalid_request', requestId: expect.any(String) });
  });

  test('a body that trickles in is cut off when its whole time is over, and leaves nothing', async () => {
    const socket = open();
    socket.write(formHead(500_000) + filePart);
    const drip = setInterval(() => socket.writable && socket.write('x'), 40);
    const text = await answerOf(socket);
    clearInterval(drip);
    expect(errorIn(text)).toMatchObject({ status: 408 });
    expect(api.flow.blobs.blobs.size).toBe(0);
  });

  test('JSON of which nothing comes any more is given up like a form', async () => {
    const socket = open();
    socket.write(`${head('/ingest', { 'Content-Type': 'application/json', 'Content-Length': 5000 })}{"source":`);
    expect(errorIn(await answerOf(socket))).toMatchObject({ status: 400, message: 'Nothing came for 200 ms.' });
  });

  test.each([
    ['longer than the body', (body: string) => formHead(body.length + 100) + body, 400, 'Nothing came'],
    ['shorter than the body', (body: string) => formHead(body.length - 10) + body, 400, 'ends too early'],
    ['no number', (body: string) => formHead(0).replace(': 0\r', ': many\r') + body, 400, 'not valid HTTP'],
    [
      'given twice',
      (body: string) => formHead(body.length).replace('Host', 'Content-Length: 3\r\nHost') + body,
      400,
      'not valid HTTP',
    ],
    [
      'beside chunks',
      (body: string) => formHead(body.length).replace('Host', 'Transfer-Encoding: chunked\r\nHost') + body,
      400,
      'not valid HTTP',
    ],
  ])(
    'a Content-Length that is %s is an error of the caller, and leaves nothing',
    async (_how, request, status, message) => {
      const socket = open();
      socket.write(request(`${filePart}hello\r\n--b--\r\n`));
      expect(errorIn(await answerOf(socket))).toMatchObject({ status, message: expect.stringContaining(message) });
      expect(api.flow.blobs.blobs.size).toBe(0);
    },
  );

  test('a whole request is answered, whatever comes after it on the connection', async () => {
    const socket = open();
    const body = '{"source":{"type":"text","text":"x"}}';
    socket.write(`${head('/ingest', { 'Content-Type': 'application/json', 'Content-Length': body.length })}${body}@@@`);
    const answer = await answerOf(socket);
    expect(answer).toMatch(/^HTTP\/1.1 202 /);
    expect(answer.match(/HTTP\/1.1/g)).toHaveLength(1);
  });

  test('headers without end are 431', async () => {
    const socket = open();
    socket.write(`GET / HTTP/1.1\r\nx-long: ${'x'.repeat(64 * 1024)}\r\n\r\n`);
    expect(errorIn(await answerOf(socket))).toMatchObject({ status: 431, code: 'invalid_request' });
  });

  test('a connection on which nothing came does not hold up the end, nor does one that is slow', async () => {
    const [idle, slow] = [open(), open()];
    slow.write('POST /api HTTP/1.1\r\n');
    await Promise.all([once(idle, 'connect'), once(slow, 'connect')]);
    const startedAt = performance.now();
    await api.server.close({ drainMs: 0, graceMs: 20 * second });
    expect(performance.now() - startedAt).toBeLessThan(5 * second);
  });
});

describe('bodies that are large or deep', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi((deps) => ({ limits: { ...deps.limits, maxJsonBytes: 8 * megabyte } }));
  });
  afterAll(() => api.close());
  const text = (json: string) =>
    api.call('/ingest', { method: 'POST', body: json, headers: { 'content-type': 'application/json' } });
  const withOptions = (options: string) => text(`{"source":{"type":"text","text":"x"},"options":{"a":${options}}}`);

  test.each([
    ['a form', '/ingest', { 'Content-Type': 'multipart/form-data; boundary=b', 'Content-Length': 100 * megabyte }],
    ['JSON', '/ingest', { 'Content-Type': 'application/json', 'Content-Length': 8 * megabyte + 1 }],
    ['a batch', '/ingest/batch', { 'Content-Type': 'multipart/form-data; boundary=b', 'Content-Length': 1e12 }],
  ])('%s that says that it is too large is 413 before a byte of it was sent', async (_what, path, headers) => {
    const socket = connect(api.server.port, '127.0.0.1').on('error', () => {});
    socket.write(head(path, headers));
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  test('JSON in chunks without end is 413 once the limit is passed', async () => {
    const socket = connect(api.server.port, '127.0.0.1').on('error', () => {});
    socket.write(head('/ingest', { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }));
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    const send = setInterval(() => socket.writable && socket.write(chunk.repeat(16)), 5);
    const error = errorIn(await answerOf(socket));
    clearInterval(send);
    expect(error).toMatchObject({ status: 413, code: 'request_too_large' });
  });

  test('JSON nested without end is 400, wherever it stands and however deep', async () => {
    for (const depth of [100, 5000, 1_000_000]) {
      const answer = await withOptions('['.repeat(depth) + ']'.repeat(depth));
      expect(answer.status).toBe(400);
      expect(ErrorBody.parse(await answer.json()).error.details).toEqual({
        faults: [{ path: 'body', message: 'is nested deeper than 64 levels' }],
      });
    }
    expect((await withOptions('['.repeat(50) + ']'.repeat(50))).status).toBe(202);
    const form = new FormData();
    form.append('options', `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
    form.append('file', new Blob(['x']), 'a.txt');
    expect((await api.call('/ingest', { method: 'POST', body: form })).status).toBe(400);
  });

  test('an object of very many members is refused at once; many faults are not all repeated', async () => {
    const members = (count: number) => `{${Array.from({ length: count }, (_, index) => `"k${index}":{}`).join()}}`;
    const startedAt = performance.now();
    const answer = await text(`{"source":{"type":"text","text":"x"},"metadata":${members(500_000)}}`);
    expect(answer.status).toBe(400);
    // Checked member by member this took six seconds.
    expect(performance.now() - startedAt).toBeLessThan(3 * second);
    const faulty = await text(`{"source":{"type":"text","text":"x"},"metadata":${members(1500)}}`);
    const { message, details } = ErrorBody.parse(await faulty.json()).error;
    expect(message).toBe('The request has 1500 faults.');
    expect((details as { faults: unknown[] }).faults).toHaveLength(100);
  });

  test('a charset other than UTF-8 is 415', async () => {
    const answer = await api.call('/search', {
      method: 'POST',
      body: Buffer.from('{"query":"x"}', 'utf16le'),
      headers: { 'content-type': 'application/json; charset=utf-16le' },
    });
    expect(answer.status).toBe(415);
  });

  test('a form of 10,000 fields, or of a few that are huge, is refused and leaves nothing', async () => {
    const before = api.flow.blobs.blobs.size;
    const many = new FormData();
    many.append('file', new Blob(['x']), 'a.txt');
    for (let field = 0; field < 10_000; field += 1) many.append(`f${field}`, 'x');
    expect((await api.call('/ingest', { method: 'POST', body: many })).status).toBe(400);
    const huge = new FormData();
    for (let field = 0; field < 6; field += 1) huge.append(`f${field}`, 'x'.repeat(megabyte - 10));
    huge.append('file', new Blob(['x']), 'a.txt');
    expect((await api.call('/ingest/batch', { method: 'POST', body: huge })).status).toBe(413);
    expect(api.flow.blobs.blobs.size).toBe(before);
  });
});

describe('the process', () => {
  let dataDir: string;
  let api: ApiProcess;
  let port: number;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-hostile-'));
    const prefix = `api-hostile-${process.pid}-${Date.now()}`;
    api = spawnApi({
      DATA_DIR: dataDir,
      TMPDIR: dataDir,
      JWT_SECRET: secret,
      QUEUE_PREFIX: prefix,
      MAX_FILE_BYTES: String(4 * megabyte),
    });
    port = Number((await api.ready).port);
  }, 60 * second);
  afterAll(async () => {
    await api.kill();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Open files of the process below its folder, and its sockets to callers. */
  async function handles(): Promise<{ files: string[]; count: number }> {
    const folder = `/proc/${api.process.pid}/fd`;
    const names = await readdir(folder);
    const targets = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')));
    return { files: targets.filter((target) => target.startsWith(dataDir)), count: names.length };
  }
  async function filesLeft(): Promise<string[]> {
    const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  test(
    'uploads that break off, lie about their length or are too large leave no open file and no file',
    async () => {
      // What the process opens once and keeps is open by then.
      const warm = new FormData();
      warm.append('file', new Blob(['x']), 'a.exe');
      warm.append('colour', 'red');
      const base = `http://127.0.0.1:${port}${apiPrefix}`;
      const headers = { authorization: `Bearer ${tokenFor('acme')}` };
      expect((await fetch(`${base}/ingest`, { method: 'POST', body: warm, headers })).status).toBe(400);
      const before = await handles();
      const filesBefore = await filesLeft();
      expect(before.files).toEqual([]);

      const sockets = Array.from({ length: 30 }, () => connect(port, '127.0.0.1'));
      for (const [index, socket] of sockets.entries()) {
        socket.on('error', () => {});
        const length = [3_000_000, 3_000_000, 900, 50 * megabyte][index % 4] ?? 0;
        socket.write(formHead(length) + filePart + 'x'.repeat(600_000));
      }
      const deadline = Date.now() + 10 * second;
      while ((await handles()).files.length < 10) if (Date.now() > deadline) throw new Error('no upload was begun');
      for (const socket of sockets) socket.destroy();
      const tooLarge = new FormData();
      tooLarge.append('file', new Blob([new Uint8Array(4 * megabyte + 1)]), 'a.bin');
      expect((await fetch(`${base}/ingest`, { method: 'POST', body: tooLarge, headers })).status).toBe(413);

      // The connection of fetch itself is kept.
      while (
        (await handles()).files.length > 0 ||
        (await handles()).count > before.count + 2 ||
        (await filesLeft()).length > filesBefore.length
      ) {
        if (Date.now() > deadline + 10 * second)
          throw new Error(`left: ${JSON.stringify([await handles(), before.count, await filesLeft()])}`);
      }
      let jobs = await fetch(`${base}/jobs`, { headers });
      // Its ledger is new, and still being made ready on a machine that has much to do.
      while (jobs.status === 503) jobs = await fetch(`${base}/jobs`, { headers });
      expect(await jobs.json()).toEqual({ items: [] });
      expect(api.output()).not.toContain('"level":"error"');
    },
    60 * second,
  );
});
