import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { recordSpans, type SpanRecorder } from '@semantic-memory/runtime/testing/span-recorder';
import { apiPrefix, type Endpoint } from '@semantic-memory/shared/contracts/http/endpoint';
import { endpoints } from '@semantic-memory/shared/contracts/http/endpoints';
import { startTestApi, type TestApi } from './testing/test-api.ts';

let recorder: SpanRecorder;
let api: TestApi;

beforeAll(async () => {
  recorder = recordSpans();
  api = await startTestApi();
});
beforeEach(() => recorder.clear());
afterAll(async () => {
  await api.close();
  await recorder.stop();
});

/** The spans of requests, once the server has seen the end of their answers. */
async function requestSpans(count = 1) {
  for (let look = 0; look < 200; look += 1) {
    const spans = recorder.spans().filter(({ attributes }) => 'http.route' in attributes);
    if (spans.length >= count) return spans;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('no span came');
}

const table = Object.entries(endpoints) as [string, Endpoint][];

test.each(table)('%s gives one span by its template, whatever the answer, and never an id', async (_, endpoint) => {
  const path = endpoint.path.replaceAll(/\{\w+\}/g, 'some-id-of-a-tenant');
  const response = await api.call(path, { method: endpoint.method.toUpperCase() });
  await response.body?.cancel();
  const spans = await requestSpans();
  const route = apiPrefix + endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1');
  expect(spans.map(({ name }) => name)).toEqual([`${endpoint.method.toUpperCase()} ${route}`]);
  expect(spans[0]?.attributes).toMatchObject({ 'http.route': route, 'http.response.status_code': response.status });
  expect(JSON.stringify(spans.map(({ name, attributes }) => [name, attributes]))).not.toContain('some-id');
});

test('paths that are not there and methods that are made up do not become names', async () => {
  await api.call('/no-such-path/secret');
  await fetch(`${api.origin}/no-such-path/secret`, { method: 'PROPFIND' });
  await fetch(`${api.origin}/openapi.json`, { method: 'PROPFIND' });
  const names = (await requestSpans(3)).map(({ name }) => name);
  expect(names).toEqual(['GET unknown', 'other unknown', 'other /openapi.json']);
});

test('a request joins the trace of its caller', async () => {
  const traceId = 'ab'.repeat(16);
  const traceparent = `00-${traceId}-${'cd'.repeat(8)}-01`;
  const answer = await api.post('/search', { query: 'anything' }, { headers: { traceparent } });
  expect(answer.status).toBe(200);
  const [span] = await requestSpans();
  expect(span?.spanContext().traceId).toBe(traceId);
  expect(span?.parentSpanContext?.spanId).toBe('cd'.repeat(8));
});
