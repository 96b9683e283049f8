import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openEventStream } from './event-stream.ts';

/** More than a connection holds on its way. */
const large = 'x'.repeat(16 * 1024 * 1024);

let server: Server;
let caller: Socket;
let response: ServerResponse;
beforeEach(async () => {
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  caller = connect((server.address() as AddressInfo).port, '127.0.0.1');
  caller.on('error', () => {});
  caller.pause();
  caller.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
});
afterEach(async () => {
  caller.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const sending = (stream: ReturnType<typeof openEventStream>) => {
  const state = { over: false };
  const sent = stream.send({ id: '1', event: 'token', data: large }).then(() => {
    state.over = true;
  });
  return { state, sent };
};

test('nothing more is made for a caller that reads slowly until it has read what there is', async () => {
  const { state, sent } = sending(openEventStream(response, 60_000));
  await new Promise((resolve) => setImmediate(resolve));
  expect(state.over).toBe(false);
  caller.resume();
  await sent;
  expect(response.listenerCount('drain')).toBe(0);
});

test('a caller that reads slowly and leaves is waited for no longer', async () => {
  const { state, sent } = sending(openEventStream(response, 60_000));
  expect(state.over).toBe(false);
  caller.destroy();
  await sent;
  expect(response.destroyed).toBe(true);
});

test('nothing is written to a stream that has ended', async () => {
  const faults: unknown[] = [];
  response.on('error', (error) => faults.push(error));
  const stream = openEventStream(response, 60_000);
  stream.end();
  await stream.send({ id: '1', event: 'token', data: large });
  // A write after the end would say so in the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  expect(faults).toEqual([]);
});

test('a caller that has gone is sent nothing more, and not waited for', async () => {
  const stream = openEventStream(response, 60_000);
  const closed = once(response, 'close');
  caller.destroy();
  await closed;
  await stream.send({ id: '1', event: 'token', data: 'x' });
  expect(response.listenerCount('drain')).toBe(0);
});
