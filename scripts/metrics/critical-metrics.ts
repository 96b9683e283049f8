/** One question to Prometheus about the service. */
export interface CriticalMetric {
  readonly name: string;
  readonly query: string;
  /** `some`: an empty answer is the fault, as of a metric that is gone. `none`: every series in it is one. */
  readonly wanted: 'some' | 'none';
  /** What is the matter where it is not as wanted. */
  readonly fault: string;
}

/**
 * What a deployment is judged by. The limits are those of the alerts in docs/alerts; floors of volume keep a single
 * failure at night from counting as a rate.
 */
export const criticalMetrics: readonly CriticalMetric[] = [
  {
    name: 'queues are watched',
    query: 'count(queue_jobs)',
    wanted: 'some',
    fault: 'no process of the service is scraped, or none can read its queues',
  },
  {
    name: 'processes live',
    query: 'up == 0 and on (job) count by (job) (last_over_time(queue_jobs[1h]))',
    wanted: 'none',
    fault: 'a process of the service cannot be scraped',
  },
  {
    name: 'processes stay',
    query: 'changes(process_start_time_seconds[15m]) > 2 and on (job) count by (job) (queue_jobs)',
    wanted: 'none',
    fault: 'a process of the service was started again and again',
  },
  {
    name: 'ingest requests',
    query:
      'sum(rate(ingest_requests_total{outcome="failed"}[5m])) / sum(rate(ingest_requests_total[5m])) > 0.05 and sum(increase(ingest_requests_total[5m])) >= 20',
    wanted: 'none',
    fault: 'more than 5 % of the ingest requests fail by our fault',
  },
  {
    name: 'ingested documents',
    query:
      'sum(rate(ingest_documents_total{outcome="failed"}[5m])) / sum(rate(ingest_documents_total[5m])) > 0.05 and sum(increase(ingest_documents_total[5m])) >= 20',
    wanted: 'none',
    fault: 'more than 5 % of the documents fail by our fault',
  },
  {
    name: 'answers in time',
    query:
      'histogram_quantile(0.95, sum by (le) (rate(rag_request_duration_seconds_bucket[5m]))) > 2 and sum(increase(rag_request_duration_seconds_count[5m])) >= 20',
    wanted: 'none',
    fault: 'one answer in twenty takes longer than 2 s',
  },
  {
    name: 'queues move',
    query:
      'max by (queue) (queue_oldest_age_seconds{state="wait"}) > 300 and max by (queue) (queue_jobs{state="active"}) == 0',
    wanted: 'none',
    fault: 'work waits for more than 5 minutes and nothing runs',
  },
  {
    name: 'dependencies answer',
    query: 'max by (dependency) (breaker_state) > 0',
    wanted: 'none',
    fault: 'a dependency is away',
  },
  {
    name: 'index agrees',
    query: 'sum by (kind) (index_drift) > 0',
    wanted: 'none',
    fault: 'the last reconciliation found stores that disagree',
  },
];
