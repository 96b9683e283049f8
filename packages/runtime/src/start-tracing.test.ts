import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { context, diag, trace } from '@opentelemetry/api';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { startTracing } from './start-tracing.ts';
import { inSpan } from './tracing.ts';

const received: { url: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];
let status: number;
const collector = createServer(async (request, response) => {
  received.push({ url: request.url, headers: request.headers, body: await text(request) });
  response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
});
const warnings: unknown[] = [];
let warned: PromiseWithResolvers<void>;
const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn(message, fields) {
    warnings.push([message, fields]);
    warned.resolve();
  },
  error: () => {},
  child: () => logger,
};

let host: string;
beforeEach(async () => {
  received.length = 0;
  warnings.length = 0;
  warned = Promise.withResolvers<void>();
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  host = `127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterEach(async () => {
  trace.disable();
  context.disable();
  diag.disable();
  collector.close();
  collector.closeAllConnections();
  await once(collector, 'close');
});

const started = (sampleRatio = 1) =>
  startTracing({ service: 'worker', endpoint: `http://${host}//`, headers: { 'x-key': 'k' }, sampleRatio, logger });

test('spans go to the collector with its headers and the name of the service, at the latest at the end', async () => {
  status = 200;
  const close = await started();
  await inSpan('outer', {}, () => inSpan('inner', {}, async () => {}));
  await close();
  expect(received.map(({ url, headers }) => [url, headers['x-key']])).toEqual([['/v1/traces', 'k']]);
  for (const name of ['"outer"', '"inner"', '"semantic-memory-worker"']) expect(received[0]?.body).toContain(name);
  expect(warnings).toEqual([]);
});

test('a collector that refuses costs its spans and a line in the log, without its key', async () => {
  status = 400;
  const close = await started();
  // As many as are sent without waiting for more.
  for (let work = 0; work < 600; work += 1) expect(await inSpan('work', {}, async () => work)).toBe(work);
  await warned.promise;
  expect(warnings[0]).toEqual(['traces could not be sent', { endpoint: host }]);
  await close();
});

test('where the last spans cannot be sent the end is in order all the same, and the log says so', async () => {
  status = 400;
  const close = await started();
  await inSpan('work', {}, async () => {});
  await close();
  expect(received).toHaveLength(1);
  expect(warnings).toEqual([['traces could not be sent', { endpoint: host }]]);
});

test('of a share of none nothing is sent', async () => {
  status = 200;
  const close = await started(0);
  await inSpan('work', {}, async () => {});
  await close();
  expect(received).toEqual([]);
});
