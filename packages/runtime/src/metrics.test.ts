import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { createMetrics } from './metrics.ts';

const counts = async () => [
  { tier: 'parse' as const, waiting: 3, active: 1, delayed: 2, failed: 4, oldestWaitSeconds: 12.5 },
];

test('every public metric is there under its name', async () => {
  const text = await createMetrics({ counts }).metricsText();
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      'ingest_requests_total',
      'ingest_documents_total',
      'ingest_duration_seconds',
      'job_attempts_total',
      'job_duration_seconds',
      'job_wait_seconds',
      'job_stalled_total',
      'queue_jobs',
      'queue_oldest_age_seconds',
      'cache_requests_total',
      'search_duration_seconds',
      'rag_request_duration_seconds',
      'rag_time_to_first_token_seconds',
      'embedding_tokens_total',
      'breaker_state',
      'degraded_responses_total',
      'index_drift',
      'nodejs_eventloop_lag_seconds',
      'process_cpu_seconds_total',
    ]),
  );
});

test('what is counted appears with its labels', async () => {
  const metrics = createMetrics({ counts });
  metrics.ingestRequest('rejected');
  metrics.documentFinished('failed', 'internal');
  metrics.jobAttempt('ocr', 'succeeded', 2);
  metrics.search('dense', 0.01);
  metrics.rag('refused', 'extractive', 0.02);
  metrics.breakerState('chroma', 'open');
  metrics.httpRequest('GET', '/jobs/:id', '2xx', 0.5);
  metrics.ingestDuration('upload', 3);
  metrics.jobWaited('ocr', 4);
  metrics.ragFirstToken(0.5);
  metrics.cacheRequest('l2', 'error');
  metrics.embeddingTokens('small', 70);
  metrics.degraded('stale');
  metrics.webhookAttempt('gave_up');
  metrics.indexDrift('chunks_missing', 5);
  const text = await metrics.metricsText();
  for (const line of [
    'ingest_requests_total{outcome="rejected"} 1',
    'ingest_documents_total{outcome="failed",reason="internal"} 1',
    'job_attempts_total{tier="ocr",outcome="succeeded"} 1',
    'job_duration_seconds_sum{tier="ocr"} 2',
    'search_duration_seconds_count{mode="dense"} 1',
    'rag_request_duration_seconds_count{outcome="refused",mode="extractive"} 1',
    'breaker_state{dependency="chroma"} 2',
    'http_request_duration_seconds_sum{method="GET",route="/jobs/:id",status="2xx"} 0.5',
    'ingest_duration_seconds_sum{source="upload"} 3',
    'job_wait_seconds_sum{tier="ocr"} 4',
    'rag_time_to_first_token_seconds_sum 0.5',
    'cache_requests_total{layer="l2",result="error"} 1',
    'embedding_tokens_total{model="small"} 70',
    'degraded_responses_total{reason="stale"} 1',
    'webhook_attempts_total{outcome="gave_up"} 1',
    'index_drift{kind="chunks_missing"} 5',
    'queue_jobs{queue="parse",state="wait"} 3',
    'queue_jobs{queue="parse",state="failed"} 4',
    'queue_oldest_age_seconds{queue="parse",state="wait"} 12.5',
  ])
    expect(text.split('\n')).toContain(line);
});

test('what a process does is there from its start, at 0, and what others do is not', async () => {
  const linesOf = async (does: Parameters<typeof createMetrics>[0]) =>
    (await createMetrics(does).metricsText())
      .split('\n')
      .filter((line) => /^(ingest|job|search|rag|webhook|embedding)_/.test(line));
  const api = await linesOf({ does: { api: true } });
  expect(api).toEqual(
    expect.arrayContaining([
      'ingest_requests_total{outcome="failed"} 0',
      'ingest_documents_total{outcome="rejected",reason="corrupt_document"} 0',
      'search_duration_seconds_count{mode="dense"} 0',
      'rag_request_duration_seconds_count{outcome="refused",mode="extractive"} 0',
    ]),
  );
  expect(api.filter((line) => /^(job|webhook)_/.test(line))).toEqual([]);
  const worker = await linesOf({ does: { tiers: ['embed'] } });
  expect(worker).toEqual(
    expect.arrayContaining([
      'job_attempts_total{tier="embed",outcome="waiting"} 0',
      'job_stalled_total{tier="embed"} 0',
    ]),
  );
  expect(worker.filter((line) => line.includes('"ocr"') || line.startsWith('search'))).toEqual([]);
  const calling = await linesOf({ does: { tiers: ['fetch', 'embed'], embeddingModel: 'small' } });
  expect(calling).toEqual(
    expect.arrayContaining([
      'embedding_tokens_total{model="small"} 0',
      'webhook_attempts_total{outcome="delivered"} 0',
      'webhook_attempts_total{outcome="gave_up"} 0',
    ]),
  );
});

test('the file system of the blobs is measured, and one that cannot be is left out', async () => {
  const textOf = (directory: string) => createMetrics({ volume: { name: 'blobs', directory } }).metricsText();
  const numberOf = (text: string, name: string) =>
    Number(new RegExp(`^${name}\\{volume="blobs"\\} (\\S+)$`, 'm').exec(text)?.[1]);
  const text = await textOf(tmpdir());
  expect(numberOf(text, 'disk_size_bytes')).toBeGreaterThan(numberOf(text, 'disk_available_bytes'));
  expect(numberOf(text, 'disk_available_bytes')).toBeGreaterThanOrEqual(0);
  expect(await textOf('/there/is/no/such/folder')).not.toContain('disk_size_bytes{');
});

test('a queue that does not answer costs only its own gauges', async () => {
  const metrics = createMetrics({ counts: () => new Promise(() => {}), countsTimeoutMs: 20 });
  metrics.jobStalled('embed');
  const text = await metrics.metricsText();
  expect(text).toContain('job_stalled_total{tier="embed"} 1');
  expect(text).not.toContain('queue_jobs{');
});
