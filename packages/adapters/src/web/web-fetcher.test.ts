import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { createWebFetcher } from './web-fetcher.ts';

let server: Server;
let port: number;
let respond: RequestListener;
let connections: number;
let open: number;
beforeEach(async () => {
  connections = 0;
  open = 0;
  respond = (_, response) => response.end('hello');
  server = createServer((request, response) => respond(request, response));
  server.on('connection', (socket) => {
    connections += 1;
    open += 1;
    socket.on('close', () => {
      open -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const limits = { maxBytes: 1_000, timeoutMs: 5_000 };
const never = new AbortController().signal;
const allowed = () => createWebFetcher({ allowHosts: [`127.0.0.1:${port}`] });
const strict = (addresses: Record<string, string[]> = {}) =>
  createWebFetcher({ allowHosts: [], lookup: async (hostname) => addresses[hostname] ?? [] });

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

const untilAllClosed = async () => {
  while (open > 0) await new Promise((resolve) => setImmediate(resolve));
};

test('gives body, media type, name and where it ended', async () => {
  respond = (request, response) => {
    if (request.url === '/start') response.writeHead(302, { location: '/a/b/Notes.md?v=1' }).end('moved');
    else response.writeHead(200, { 'content-type': 'text/markdown; charset=utf-8' }).end(request.headers['user-agent']);
  };
  const answer = await allowed().fetch(`http://127.0.0.1:${port}/start`, limits, never);
  expect(answer).toMatchObject({
    mediaType: 'text/markdown; charset=utf-8',
    filename: 'Notes.md',
    finalUrl: `http://127.0.0.1:${port}/a/b/Notes.md?v=1`,
  });
  expect(await textOf(answer.body)).toBe('semantic-memory');
  await untilAllClosed();
});

test.each([
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://0/',
  'http://127.0.0.1./',
  'http://１２７.0.0.1/',
  'http://[::1]/',
  'http://[::]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[64:ff9b::a9fe:a9fe]/latest/meta-data/',
  'http://[2002:7f00:1::]/',
  'http://[fd00:ec2::254]/',
  'http://169.254.169.254/latest/meta-data/',
  'http://100.100.100.200/',
  'http://10.0.0.1:6379/',
  'http://localhost/',
  'http://LOCALHOST./',
  'http://a.localhost/',
  'http://user:secret@example.org/',
  'file:///etc/passwd',
  'ftp://example.org/',
  'gopher://127.0.0.1/',
  'javascript:alert(1)',
  'not a url',
  'http://',
  'http://[fe80::1%25eth0]/',
])('refuses %s before anything is connected', async (url) => {
  const lookup = async () => {
    throw new Error('no name should be looked up');
  };
  const fetcher = createWebFetcher({ allowHosts: [], lookup });
  await expect(fetcher.fetch(url, limits, never)).rejects.toMatchObject({
    code: 'fetch_forbidden',
    retry: { kind: 'never' },
  });
});

test('refuses a name of which any address is not public, and says nothing of the address', async () => {
  const fetcher = strict({ 'mixed.example': ['93.184.215.14', '10.0.0.7'] });
  const error = await fetcher.fetch('http://mixed.example/', limits, never).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'fetch_forbidden' });
  expect(`${error.message} ${error.hint}`).not.toMatch(/10\.0/);
});

test('connects to the addresses that were checked, not to what the name says later', async () => {
  let lookups = 0;
  const fetcher = createWebFetcher({
    allowHosts: ['rebinding.example'],
    lookup: async () => {
      lookups += 1;
      // A second look would lead where nobody listens.
      return lookups === 1 ? ['127.0.0.1'] : ['127.0.0.2'];
    },
  });
  const answer = await fetcher.fetch(`http://rebinding.example:${port}/`, limits, never);
  expect(await textOf(answer.body)).toBe('hello');
  expect(lookups).toBe(1);
});

test.each([
  ['http://169.254.169.254/', 'fetch_forbidden'],
  ['http://internal.example/', 'fetch_forbidden'],
  ['//127.0.0.1:1/', 'fetch_forbidden'],
  ['file:///etc/passwd', 'fetch_forbidden'],
  ['http://user@example.org/', 'fetch_forbidden'],
])('checks where a redirect leads: %s', async (location, code) => {
  respond = (_, response) => response.writeHead(302, { location }).end();
  const fetcher = createWebFetcher({
    allowHosts: [`127.0.0.1:${port}`],
    lookup: async () => ['192.168.0.1'],
  });
  await expect(fetcher.fetch(`http://127.0.0.1:${port}/`, limits, never)).rejects.toMatchObject({ code });
  expect(connections).toBe(1);
  await untilAllClosed();
});

test('an exception for one port is none for another', async () => {
  await expect(allowed().fetch(`http://127.0.0.1:${port + 1}/`, limits, never)).rejects.toMatchObject({
    code: 'fetch_forbidden',
  });
});

test('gives up after five redirects', async () => {
  respond = (_, response) => response.writeHead(302, { location: '/again' }).end();
  await expect(allowed().fetch(`http://127.0.0.1:${port}/`, limits, never)).rejects.toMatchObject({
    code: 'fetch_failed',
    message: expect.stringContaining('redirects'),
  });
});

test('refuses what announces itself as too large without reading it', async () => {
  respond = (_, response) => response.writeHead(200, { 'content-length': '1001' }).write('x');
  await expect(allowed().fetch(`http://127.0.0.1:${port}/`, limits, never)).rejects.toMatchObject({
    code: 'too_large',
  });
  await untilAllClosed();
});

test('cuts off a body at the limit, also one that only inflates to it', async () => {
  for (const compressed of [false, true]) {
    respond = (_, response) => {
      const body = Buffer.alloc(1_001, 'x');
      if (compressed) response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body));
      else response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(body);
    };
    const answer = await allowed().fetch(`http://127.0.0.1:${port}/`, limits, never);
    await expect(textOf(answer.body)).rejects.toMatchObject({ code: 'too_large' });
  }
  await untilAllClosed();
});

test.each([
  [404, 'never'],
  [403, 'never'],
  [429, 'backoff'],
  [503, 'backoff'],
])('status %i fails the fetch, and trying again is %s', async (status, kind) => {
  respond = (_, response) => response.writeHead(status).end('no');
  await expect(allowed().fetch(`http://127.0.0.1:${port}/`, limits, never)).rejects.toMatchObject({
    code: 'fetch_failed',
    retry: { kind },
    message: expect.stringContaining(String(status)),
  });
});

test('fails where the whole takes too long, before the answer or in the middle of it', async () => {
  const short = { ...limits, timeoutMs: 150 };
  respond = () => {};
  await expect(allowed().fetch(`http://127.0.0.1:${port}/`, short, never)).rejects.toMatchObject({
    code: 'fetch_failed',
    retry: { kind: 'backoff' },
  });
  respond = (_, response) => response.writeHead(200).write('first');
  const answer = await allowed().fetch(`http://127.0.0.1:${port}/`, short, never);
  await expect(textOf(answer.body)).rejects.toMatchObject({ code: 'fetch_failed' });
  await untilAllClosed();
});

test('fails where the connection breaks in the middle', async () => {
  respond = (_, response) => {
    response.writeHead(200, { 'content-length': '500' });
    response.write('half', () => response.socket?.destroy());
  };
  const answer = await allowed().fetch(`http://127.0.0.1:${port}/`, limits, never);
  await expect(textOf(answer.body)).rejects.toMatchObject({ code: 'fetch_failed', retry: { kind: 'backoff' } });
});

test('fails where the name is not known, or nobody listens', async () => {
  await expect(strict().fetch('http://unknown.example/', limits, never)).rejects.toMatchObject({
    code: 'fetch_failed',
  });
  const url = `http://127.0.0.1:${port}/`;
  const fetcher = allowed();
  await new Promise((resolve) => server.close(resolve));
  await expect(fetcher.fetch(url, limits, never)).rejects.toMatchObject({ code: 'fetch_failed' });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
});

test('stops when it is cancelled, while waiting for a name or for the body', async () => {
  const controller = new AbortController();
  const waiting = createWebFetcher({ allowHosts: [], lookup: () => new Promise(() => {}) });
  const pending = waiting.fetch('http://slow.example/', limits, controller.signal);
  controller.abort();
  await expect(pending).rejects.toMatchObject({ code: 'cancelled' });

  respond = (_, response) => response.writeHead(200).write('first');
  const second = new AbortController();
  const answer = await allowed().fetch(`http://127.0.0.1:${port}/`, limits, second.signal);
  const text = textOf(answer.body);
  second.abort();
  await expect(text).rejects.toMatchObject({ code: 'cancelled' });
  await untilAllClosed();
});

test('lets go of the connection where the reader stops early', async () => {
  respond = (_, response) => response.writeHead(200).write('first');
  const answer = await allowed().fetch(`http://127.0.0.1:${port}/`, limits, never);
  for await (const part of answer.body) {
    expect(Buffer.from(part).toString()).toBe('first');
    break;
  }
  await untilAllClosed();
});

test('stops with what it was stopped for, while it waits for a name and while it reads', async () => {
  const stop = new AbortController();
  const tooLong = new MemoryError('limits_exceeded', 'The step took too long.');
  const waiting = createWebFetcher({
    allowHosts: [],
    lookup: () => {
      stop.abort(tooLong);
      return new Promise(() => {});
    },
  });
  await expect(waiting.fetch('http://slow.example/', limits, stop.signal)).rejects.toBe(tooLong);
});

test('stops where it is cancelled once a name is being looked up', async () => {
  const [asked, stop] = [Promise.withResolvers<void>(), new AbortController()];
  const waiting = createWebFetcher({
    allowHosts: [],
    lookup: () => {
      asked.resolve();
      return new Promise(() => {});
    },
  });
  const pending = waiting.fetch('http://slow.example/', limits, stop.signal);
  await asked.promise;
  await new Promise(setImmediate);
  stop.abort();
  await expect(pending).rejects.toMatchObject({ code: 'cancelled' });
});

test('an answer without a body is an empty document', async () => {
  respond = (_, response) => response.writeHead(204).end();
  const answer = await allowed().fetch(`http://127.0.0.1:${port}/`, limits, never);
  expect(await textOf(answer.body)).toBe('');
  await untilAllClosed();
});

test('a redirect that leads nowhere is an answer that cannot be used', async () => {
  respond = (_, response) => response.writeHead(302).end();
  await expect(allowed().fetch(`http://127.0.0.1:${port}/`, limits, never)).rejects.toMatchObject({
    code: 'fetch_failed',
    message: expect.stringContaining('302'),
  });
});
