import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { startTestApi, type TestApi, tokenFor } from './testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.close());

test('a stream goes on to its end, whatever comes after its request on the connection', async () => {
  const accepted = await api.post('/ingest', { source: { type: 'text', text: 'x' } });
  const { id } = (await accepted.json()) as Job;
  const socket = connect(api.server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (piece) => {
    text += piece.toString();
  });
  const closed = once(socket, 'close');
  socket.write(
    `GET ${apiPrefix}/jobs/${id}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenFor('acme')}\r\n\r\n`,
  );
  while (!text.includes('"state":"queued"')) await once(socket, 'data');
  await new Promise((resolve) => socket.write('@@@\r\n\r\n', resolve));
  // Once a later connection is answered this one has been read.
  await fetch(`${api.origin}/health/live`);
  await api.flow.drain();
  await closed;
  expect(text).toContain('"state":"succeeded"');
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
});
