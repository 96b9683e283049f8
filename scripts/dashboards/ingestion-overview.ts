import { type Dashboard, lines, number, quantile, query, rate, share, window } from './dashboard.ts';

export const ingestionOverview: Dashboard = {
  name: 'ingestion-overview',
  title: 'ingestion',
  about: 'Whether documents come in, how they end, and how long it takes.',
  rows: [
    [
      number('Accepted', 'Requests that were answered with 202.', 'reqps', [
        query(rate('ingest_requests_total{outcome="accepted"}')),
      ]),
      number('Findable', 'Documents that a search finds since, a second.', 'ops', [
        query(rate('ingest_documents_total{outcome=~"succeeded|partial"}')),
      ]),
      number(
        'Failed by our fault',
        'Share of the documents that ended. Alert IngestErrorRateHigh.',
        'percentunit',
        [query(share('ingest_documents_total{outcome="failed"}', 'ingest_documents_total'))],
        0.05,
      ),
      number(
        'Oldest waiting',
        'Of all queues. Alerts QueueWedged (nothing runs) and QueueFallsBehind.',
        's',
        [query('max(queue_oldest_age_seconds{state="wait"})')],
        1800,
      ),
    ],
    [
      lines(
        'Requests by outcome',
        'rejected: the caller asked wrongly; failed: we could not take it in. Alert IngestRequestErrorRateHigh.',
        'reqps',
        [query(rate('ingest_requests_total', 'outcome'), '{{outcome}}')],
      ),
      lines(
        'Documents by outcome',
        'rejected: the document cannot be read; failed: a fault of ours, a dead letter.',
        'ops',
        [query(rate('ingest_documents_total', 'outcome'), '{{outcome}}')],
      ),
    ],
    [
      lines(
        'Failed by our fault',
        'Documents and requests apart; the line is where the alerts are.',
        'percentunit',
        [
          query(share('ingest_documents_total{outcome="failed"}', 'ingest_documents_total'), 'documents'),
          query(share('ingest_requests_total{outcome="failed"}', 'ingest_requests_total'), 'requests'),
        ],
        0.05,
      ),
      lines('Why documents were rejected', 'What to tell those who send them.', 'short', [
        query(`sum by (reason) (increase(ingest_documents_total{outcome="rejected"}[${window}]))`, '{{reason}}'),
      ]),
    ],
    [
      lines('From accepted to the end', 'By kind of source; p50 and p95.', 's', [
        query(quantile(0.5, 'ingest_duration_seconds', 'source'), 'p50 {{source}}'),
        query(quantile(0.95, 'ingest_duration_seconds', 'source'), 'p95 {{source}}'),
      ]),
      lines('Tokens embedded', 'What an endpoint that is paid by the token sends a bill for.', 'ops', [
        query(rate('embedding_tokens_total', 'model'), '{{model}}'),
      ]),
      lines('Webhooks', 'gave_up: nobody answered for WEBHOOK_RETRY_MS.', 'ops', [
        query(rate('webhook_attempts_total', 'outcome'), '{{outcome}}'),
      ]),
    ],
  ],
};
