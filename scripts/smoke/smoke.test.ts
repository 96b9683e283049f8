import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FakeService, startFakeService } from '@semantic-memory/client/testing/fake-service';
import { type Check, smoke } from './smoke.ts';

let service: FakeService;
beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

const tooLargeBytes = 3_000_000;

async function run(options: { sanity?: boolean } = {}): Promise<Check[]> {
  const limit = options.sanity ? {} : { tooLargeBytes };
  return smoke({ url: service.url, token: 'token', namespace: 'smoke', onCheck: () => undefined, ...limit });
}

/** The service refuses a large file, as the real one does. */
const refuseLarge = () =>
  service.intercept((request, response) => {
    if (request.body.length < tooLargeBytes) return false;
    response.writeHead(413, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { code: 'too_large', message: 'It is too large.', requestId: 'req_1' } }));
    return true;
  });

test('a service as it must be passes every check, and nothing stays in it', async () => {
  refuseLarge();
  const checks = await run();
  expect(checks.filter(({ fault }) => fault !== undefined)).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual([
    ...['ingest lighthouse', 'ingest ferry', 'ingest gannets', 'search', 'rag'],
    ...['empty document', 'unsupported document', 'too large document', 'delete'],
  ]);
  expect(service.documents.size).toBe(0);
});

test('only ingest, search and rag are checked for a deployment that is in use', async () => {
  const names = (await run({ sanity: true })).map(({ name }) => name);
  expect(names).toEqual(['ingest lighthouse', 'ingest ferry', 'ingest gannets', 'search', 'rag', 'delete']);
});

test('an answer of another shape or status is a fault, and the other checks are made', async () => {
  service.intercept(({ path }, response) => {
    if (!path.endsWith('/search')) return false;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"hits":[{}]}');
    return true;
  });
  service.intercept(({ path }, response) => {
    if (!path.endsWith('/rag')) return false;
    response.writeHead(500).end('no');
    return true;
  });
  const faults = (await run({ sanity: true })).filter(({ fault }) => fault !== undefined);
  expect(faults).toEqual([
    { name: 'search', fault: expect.stringContaining('chunkId') },
    { name: 'rag', fault: '/rag answered 500: no' },
  ]);
});

test('a file over the limit that is accepted, and a document that ends otherwise, are faults', async () => {
  service.intercept((request, response) => {
    if (!String(request.body).includes('machine.bin')) return false;
    response.writeHead(415, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { code: 'unsupported_type', message: 'No.', requestId: 'req_1' } }));
    return true;
  });
  const faults = (await run()).filter(({ fault }) => fault !== undefined);
  expect(faults).toEqual([
    { name: 'unsupported document', fault: 'No.' },
    { name: 'too large document', fault: expect.stringContaining('3000000 bytes were accepted as job') },
  ]);
});
