import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWebhookSender } from './webhook-sender.ts';

let server: Server;
let port: number;
let respond: RequestListener;
let connections: number;
let open: number;
beforeEach(async () => {
  connections = 0;
  open = 0;
  respond = (_, response) => response.end();
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

const never = new AbortController().signal;
const message = { headers: { 'content-type': 'application/json', 'x-mark': 'one' }, body: '{"state":"succeeded — é"}' };
const allowed = () => createWebhookSender({ allowHosts: [`127.0.0.1:${port}`] });
const untilAllClosed = async () => {
  while (open > 0) await new Promise((resolve) => setImmediate(resolve));
};

test('posts the body as it is, with its headers, and gives the status', async () => {
  let got: unknown;
  respond = async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    got = { method: request.method, body: Buffer.concat(parts).toString(), headers: request.headers };
    response.writeHead(202, { 'retry-after': '7' }).end();
  };
  expect(await allowed().post(`http://127.0.0.1:${port}/hook?a=1`, message, 5000, never)).toEqual({
    status: 202,
    retryAfterMs: 7000,
  });
  expect(got).toMatchObject({
    method: 'POST',
    body: message.body,
    headers: { 'x-mark': 'one', 'user-agent': 'semantic-memory', 'content-type': 'application/json' },
  });
  await untilAllClosed();
});

test('an answer without end is not read, and holds no connection', async () => {
  respond = (_, response) => {
    const timer = setInterval(() => response.write('x'.repeat(100_000)), 1);
    response.on('close', () => clearInterval(timer));
  };
  expect(await allowed().post(`http://127.0.0.1:${port}/`, message, 5000, never)).toEqual({ status: 200 });
  await untilAllClosed();
});

test('a redirect is not followed', async () => {
  respond = (_, response) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end();
  expect(await allowed().post(`http://127.0.0.1:${port}/`, message, 5000, never)).toEqual({ status: 307 });
  expect(connections).toBe(1);
});

test.each([
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://localhost/',
  'ftp://a.org/',
])('does not call %s', async (url) => {
  const sender = createWebhookSender({ allowHosts: [] });
  await expect(sender.post(url, message, 5000, never)).rejects.toMatchObject({ code: 'fetch_forbidden' });
});

test('a name is called where it was checked, and not where it leads to something private', async () => {
  const inside = createWebhookSender({ allowHosts: [], lookup: async () => ['93.184.215.14', '10.0.0.7'] });
  await expect(inside.post('http://hook.example/', message, 5000, never)).rejects.toMatchObject({
    code: 'fetch_forbidden',
  });
  let lookups = 0;
  const rebinding = createWebhookSender({
    allowHosts: ['hook.example'],
    lookup: async () => {
      lookups += 1;
      return lookups === 1 ? ['127.0.0.1'] : ['127.0.0.2'];
    },
  });
  expect(await rebinding.post(`http://hook.example:${port}/`, message, 5000, never)).toEqual({ status: 200 });
  expect(lookups).toBe(1);
});

test('a receiver that does not answer in time, or breaks the connection, has failed', async () => {
  respond = () => {};
  await expect(allowed().post(`http://127.0.0.1:${port}/`, message, 100, never)).rejects.toMatchObject({
    code: 'fetch_failed',
    message: expect.stringContaining('0.1 s'),
  });
  respond = (request) => request.socket.destroy();
  await expect(allowed().post(`http://127.0.0.1:${port}/`, message, 5000, never)).rejects.toMatchObject({
    code: 'fetch_failed',
  });
  await untilAllClosed();
});

test.each([
  ['a date', () => new Date(Date.now() + 60_000).toUTCString(), { from: 50_000, to: 60_000 }],
  ['a date that has passed', () => 'Wed, 21 Oct 2015 07:28:00 GMT', { from: 0, to: 0 }],
  ['seconds', () => ' 30 ', { from: 30_000, to: 30_000 }],
])('a receiver that asks for time by %s gets it', async (_, header, { from, to }) => {
  respond = (_request, response) => response.writeHead(503, { 'retry-after': header() }).end();
  const { retryAfterMs } = await allowed().post(`http://127.0.0.1:${port}/`, message, 5000, never);
  expect(retryAfterMs).toBeGreaterThanOrEqual(from);
  expect(retryAfterMs).toBeLessThanOrEqual(to);
});

test('what a receiver asks for that is no time is passed over', async () => {
  respond = (_, response) => response.writeHead(503, { 'retry-after': 'soon' }).end();
  expect(await allowed().post(`http://127.0.0.1:${port}/`, message, 5000, never)).toEqual({ status: 503 });
});
