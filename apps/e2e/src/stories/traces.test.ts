import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { type OpenaiServer, startOpenaiServer } from '@semantic-memory/shared/testing/openai-server';
import { eventually, waitForEnd } from '../job-end.ts';
import { type CollectedSpan, type Collector, startCollector } from '../observation/collector.ts';
import { type Service, startService } from '../service.ts';

// Everything is started here, beside whatever else the machine does.
jest.setTimeout(60_000);

/** What the service tells about its work. All processes send their spans to one collector. */
const page = fileURLToPath(new URL('../../../../packages/adapters/testdata/ocr/page.png', import.meta.url));

let collector: Collector;
let model: OpenaiServer;
let service: Service;
/** A web site with one picture, and where it is. */
const site = createServer(async (_, response) =>
  response.setHeader('content-type', 'image/png').end(await readFile(page)),
);
let siteHost: string;

beforeAll(async () => {
  site.listen(0, '127.0.0.1');
  [collector, model] = await Promise.all([startCollector(), startOpenaiServer(), once(site, 'listening')]);
  siteHost = `127.0.0.1:${(site.address() as AddressInfo).port}`;
  service = await startService({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OPENAI_BASE_URL: model.url,
      LLM_MODEL: 'quoter',
      FETCH_ALLOW_HOSTS: siteHost,
      LOG_LEVEL: 'debug',
      EMBED_PROCESSES: '1',
      OCR_PROCESSES: '1',
    },
  });
}, 180_000);

afterAll(async () => {
  await service?.stop();
  await Promise.all([collector?.close(), model?.close()]);
  site.close();
}, 60_000);

/** A call in a trace of its own, begun by the caller. */
async function call(path: string, body: object): Promise<{ answer: Response; traceId: string; callerSpan: string }> {
  const [traceId, callerSpan] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  const answer = await fetch(`${service.url}${apiPrefix}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${service.token}`,
      'content-type': 'application/json',
      traceparent: `00-${traceId}-${callerSpan}-01`,
    },
    body: JSON.stringify(body),
  });
  return { answer, traceId, callerSpan };
}

/** The span of a trace once it was sent, together with its ancestors. */
const spanOf = (traceId: string, name: string | RegExp) =>
  eventually(async () => {
    const matches = (span: CollectedSpan) => (typeof name === 'string' ? span.name === name : name.test(span.name));
    const span = collector.spans.find((one) => one.traceId === traceId && matches(one));
    const lineage = span && collector.lineage(span);
    return lineage?.at(-1)?.name.startsWith('POST ') ? lineage : undefined;
  });

test('one trace leads from the request through every tier, each a process of its own, to the commit', async () => {
  const { answer, traceId, callerSpan } = await call('/ingest', {
    source: { type: 'url', url: `http://${siteHost}/page.png` },
  });
  expect(answer.status).toBe(202);
  const job = (await answer.json()) as Job;
  const { state, error } = await waitForEnd(service, job.id, 120_000);
  expect({ state, error }).toEqual({ state: 'succeeded', error: undefined });
  const lineage = await spanOf(traceId, 'chroma upsert');
  const tiers = ['index', 'embed', 'ocr', 'parse', 'fetch'];
  expect(lineage.map(({ name }) => name)).toEqual([
    'chroma upsert',
    ...tiers.flatMap((tier) => [`process ingest.${tier}`, `send ingest.${tier}`]),
    `POST ${apiPrefix}/ingest`,
  ]);
  expect(lineage.at(-1)?.parentSpanId).toBe(callerSpan);
  expect(new Set(lineage.map(({ instance }) => instance)).size).toBe(1 + tiers.length);
  const [, processEmbed] = await spanOf(traceId, /^embeddings /);
  expect(processEmbed?.name).toBe('process ingest.embed');
}, 180_000);

test('a search and a question are one trace each, with the calls that they waited for', async () => {
  const searched = await call('/search', { query: 'a query that nobody asked before' });
  expect(searched.answer.status).toBe(200);
  for (const name of [/^embeddings /, 'chroma query', 'redis rank_words', 'rerank']) {
    expect((await spanOf(searched.traceId, name)).map((span) => span.name).slice(1)).toEqual([
      `POST ${apiPrefix}/search`,
    ]);
  }
  for (const stream of [false, true]) {
    const asked = await call('/rag', { question: `What does the page say, stream ${stream}?`, stream });
    expect(asked.answer.status).toBe(200);
    await asked.answer.text();
    expect((await spanOf(asked.traceId, 'chat quoter')).map(({ name }) => name)).toEqual([
      'chat quoter',
      `POST ${apiPrefix}/rag`,
    ]);
    expect((await spanOf(asked.traceId, 'chroma query')).at(-1)?.name).toBe(`POST ${apiPrefix}/rag`);
  }
});

test('log lines of a request and of a step carry the trace', async () => {
  const { answer, traceId } = await call('/ingest', {
    source: { type: 'text', text: '%PDF-1.7 no more', mediaType: 'application/pdf' },
  });
  const job = (await answer.json()) as Job;
  await waitForEnd(service, job.id);
  const lines = await eventually(async () => {
    const found = (await logText()).split('\n').filter((line) => line.includes(traceId));
    return found.length >= 2 ? found.map((line) => JSON.parse(line)) : undefined;
  });
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ module: 'api', message: 'request', request_id: expect.any(String), status: 202 }),
      expect.objectContaining({ module: 'worker', job_id: job.id, document_id: job.documentId }),
    ]),
  );
  for (const line of lines) expect(line.span_id).toMatch(/^[\da-f]{16}$/);
});

async function logText(): Promise<string> {
  const folder = join(service.dataDir, 'logs');
  const texts = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')));
  return texts.join('\n');
}
