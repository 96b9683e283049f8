import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { watchBody } from './body-idle.ts';

test.each([0, 90_000])('a connection has the limit of %d ms that it had, once its body was watched', async (limit) => {
  const server = createServer();
  server.timeout = limit;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n');
  const [request] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  const stopWatching = watchBody(request, 30_000, () => {});
  expect(request.socket.timeout).toBe(30_000);
  stopWatching();
  expect(request.socket.timeout).toBe(limit);
  socket.destroy();
  server.close();
  await once(server, 'close');
});
