import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ErrorBody, MemoryError } from '@semantic-memory/shared/contracts/errors';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import { toHttpError } from './errors.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(async () => {
  jest.useRealTimers();
  await api.close();
});

test('whatever is thrown, the caller hears an error of the known form and nothing of the inside', () => {
  for (const thrown of ['a secret', undefined, null, { status: 404, secret: 1 }, new Error('a secret')]) {
    const { status, body } = toHttpError(thrown, 'r1');
    expect([status, ErrorBody.parse(body).error.code]).toEqual([500, 'internal']);
    expect(JSON.stringify(body)).not.toContain('secret');
  }
});

test('a conflict that passes by itself says when to ask again, another does not', () => {
  const passing = new MemoryError('conflict', 'Still under way.', { retry: { kind: 'wait', afterMs: 1500 } });
  expect(toHttpError(passing, 'r1')).toMatchObject({ status: 409, headers: { 'retry-after': '2' } });
  expect(toHttpError(new MemoryError('conflict', 'Taken.'), 'r1').headers).toEqual({});
});

test('a body that is small on its way and too large unpacked is 413', async () => {
  const body = gzipSync(JSON.stringify({ query: 'x'.repeat(200_000) }));
  expect(body.length).toBeLessThan(10_000);
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const answer = await api.call('/search', { method: 'POST', body, headers });
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ error: { message: 'The body is larger than 100000 bytes.' } });
});

test('a caller that was refused and neither sends on nor leaves is given a moment, then the connection ends', async () => {
  // Connections have timers of their own, which go on.
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'setInterval', 'queueMicrotask', 'Date'] });
  const socket = connect(api.server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (piece) => {
    text += piece.toString();
  });
  const ended = once(socket, 'end');
  socket.write(
    `POST ${apiPrefix}/ingest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`,
  );
  while (!text.endsWith('}}')) await once(socket, 'data');
  expect(text).toMatch(/^HTTP\/1\.1 401 /);
  expect(jest.getTimerCount()).toBe(1);
  jest.advanceTimersByTime(2000);
  await ended;
  jest.useRealTimers();
});
