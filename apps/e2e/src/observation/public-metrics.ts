/** The metrics that operators may rely on, with the labels that each series has. */
export const publicMetrics: Readonly<Record<string, { type: string; labels: readonly string[] }>> = {
  ingest_requests_total: { type: 'counter', labels: ['outcome'] },
  ingest_documents_total: { type: 'counter', labels: ['outcome', 'reason'] },
  ingest_duration_seconds: { type: 'histogram', labels: ['source'] },
  job_attempts_total: { type: 'counter', labels: ['tier', 'outcome'] },
  job_duration_seconds: { type: 'histogram', labels: ['tier'] },
  job_wait_seconds: { type: 'histogram', labels: ['tier'] },
  job_stalled_total: { type: 'counter', labels: ['tier'] },
  queue_jobs: { type: 'gauge', labels: ['queue', 'state'] },
  queue_oldest_age_seconds: { type: 'gauge', labels: ['queue', 'state'] },
  cache_requests_total: { type: 'counter', labels: ['layer', 'result'] },
  search_duration_seconds: { type: 'histogram', labels: ['mode'] },
  rag_request_duration_seconds: { type: 'histogram', labels: ['outcome', 'mode'] },
  rag_time_to_first_token_seconds: { type: 'histogram', labels: [] },
  embedding_tokens_total: { type: 'counter', labels: ['model'] },
  breaker_state: { type: 'gauge', labels: ['dependency'] },
  degraded_responses_total: { type: 'counter', labels: ['reason'] },
  index_drift: { type: 'gauge', labels: ['kind'] },
  http_request_duration_seconds: { type: 'histogram', labels: ['method', 'route', 'status'] },
  webhook_attempts_total: { type: 'counter', labels: ['outcome'] },
  disk_size_bytes: { type: 'gauge', labels: ['volume'] },
  disk_available_bytes: { type: 'gauge', labels: ['volume'] },
};

/** Of every process, as the client library has them. */
export const processMetrics = [
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_start_time_seconds',
  'nodejs_eventloop_lag_seconds',
  'nodejs_heap_size_used_bytes',
  'nodejs_version_info',
] as const;
