import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createClient } from './client.ts';
import { sendJson } from './testing/fake-routes.ts';
import { type FakeService, startFakeService } from './testing/fake-service.ts';
import type { TransportOptions } from './transport.ts';

let service: FakeService;
const clientOf = (options: Partial<TransportOptions> = {}) =>
  createClient({ baseUrl: service.url, token: 'token', maxRetries: 0, ...options });

beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

test('an error whose body breaks off still tells its status', async () => {
  service.intercept((_, response) => {
    response.writeHead(500, { 'content-length': '1000' }).write('{"error":', () => response.destroy());
    return true;
  });
  await expect(clientOf().stats()).rejects.toMatchObject({ status: 500, code: 'invalid_answer' });
});

test('an error in another shape than that of this service is named so', async () => {
  for (const body of [{ error: 'Not found.' }, { error: { code: 'x' } }, null]) {
    service.intercept((_, response) => {
      sendJson(response, 404, body);
      return true;
    });
    await expect(clientOf().stats()).rejects.toMatchObject({ status: 404, code: 'invalid_answer' });
  }
});

test('the time to wait may be told in seconds or as a date; what is neither is no time', async () => {
  const past = new Date(0).toUTCString();
  const future = new Date(Date.now() + 7_200_000).toUTCString();
  const waits = [];
  for (const time of ['2', '-2', past, future, 'soon']) {
    service.intercept((_, response) => {
      sendJson(response, 429, {}, { 'retry-after': time });
      return true;
    });
    const failure = await clientOf()
      .stats()
      .catch((error: unknown) => error);
    waits.push((failure as { retryAfterMs?: number }).retryAfterMs);
  }
  expect(waits).toEqual([2000, 0, 0, expect.any(Number), undefined]);
  expect(waits[3]).toBeGreaterThan(3_600_000);
});

test('an abort between two tries ends the call with the reason of the caller', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  let calls = 0;
  const fetch = async () => {
    calls += 1;
    controller.abort(reason);
    return Response.json({ error: { code: 'dependency_unavailable', message: 'Later.' } }, { status: 503 });
  };
  await expect(clientOf({ fetch, maxRetries: 4 }).stats({ signal: controller.signal })).rejects.toBe(reason);
  expect(calls).toBe(1);
});

test('a connection that fails is told with the innermost reason that is known', async () => {
  const reasons: [thrown: unknown, told: string][] = [
    [new TypeError('fetch failed', { cause: { code: 'ECONNRESET', message: 'reset' } }), 'ECONNRESET'],
    [new TypeError('fetch failed', { cause: new Error('other side closed') }), 'other side closed'],
    [new TypeError('Load failed'), 'Load failed'],
    ['nothing more', 'nothing more'],
  ];
  for (const [thrown, told] of reasons) {
    const fetch = () => Promise.reject(thrown);
    await expect(clientOf({ fetch }).stats()).rejects.toMatchObject({
      code: 'unreachable',
      message: `No connection to ${service.url}: ${told}.`,
    });
  }
});

test('a token that no header can hold is told and not repeated', async () => {
  const failure = await clientOf({ token: 'secret\nsecret' })
    .stats()
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ status: 0, code: 'unauthenticated' });
  expect(String(failure)).not.toContain('secret');
  expect(service.requests).toEqual([]);
});

test('a token that cannot be had is told as that, and not as a service that is away', async () => {
  let asked = 0;
  const token = () => {
    asked += 1;
    throw new Error('the issuer is away');
  };
  await expect(clientOf({ token, maxRetries: 4 }).stats()).rejects.toMatchObject({
    ...{ status: 0, code: 'unauthenticated', message: 'No token could be had: the issuer is away' },
  });
  expect(asked).toBe(1);
  expect(service.requests).toEqual([]);
});

test('a question that may be at work still is not asked again, a read is', async () => {
  const badGateway = () =>
    service.intercept((_, response) => {
      sendJson(response, 502, {});
      return true;
    });
  const client = clientOf({ maxRetries: 1, retryDelayMs: 1 });
  badGateway();
  await expect(client.search({ query: 'otter' })).rejects.toMatchObject({ status: 502 });
  expect(service.requests).toHaveLength(1);
  badGateway();
  expect(await client.stats()).toMatchObject({ documents: 0 });
  expect(service.requests).toHaveLength(3);
});
