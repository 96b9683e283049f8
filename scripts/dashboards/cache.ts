import { type Dashboard, lines, number, query, rate, share } from './dashboard.ts';

const hits = (layer: string) =>
  share(`cache_requests_total{layer="${layer}",result="hit"}`, `cache_requests_total{layer="${layer}"}`);

export const cache: Dashboard = {
  name: 'cache',
  title: 'cache',
  about: 'Whether answers come from memory (l1), from Redis (l2), or are computed.',
  rows: [
    [
      number(
        'Hits in the process (l1)',
        'Share of the look-ups. Alert L1CacheMissRatioHigh below 80 %.',
        'percentunit',
        [query(hits('l1'))],
      ),
      number('Hits in Redis (l2)', 'Share of the look-ups that l1 could not answer.', 'percentunit', [
        query(hits('l2')),
      ]),
      number('Look-ups', 'A second; the alert is silent up to one.', 'reqps', [
        query(rate('cache_requests_total{layer="l1"}')),
      ]),
      number(
        'Redis of the cache',
        '0 closed, 2 open: each process then has only its own memory.',
        'short',
        [query('max(breaker_state{dependency="cache"})')],
        2,
      ),
    ],
    [
      lines(
        'Misses',
        'The line is alert L1CacheMissRatioHigh.',
        'percentunit',
        [
          query(share('cache_requests_total{layer="l1",result="miss"}', 'cache_requests_total{layer="l1"}'), 'l1'),
          query(share('cache_requests_total{layer="l2",result="miss"}', 'cache_requests_total{layer="l2"}'), 'l2'),
        ],
        0.2,
      ),
      lines('Look-ups by result', 'error: the Redis of the cache did not answer; nothing waits for it.', 'reqps', [
        query(rate('cache_requests_total', 'layer', 'result'), '{{layer}} {{result}}'),
      ]),
    ],
    [
      lines('What the misses cost', 'Searches and answers that were computed or found, p95.', 's', [
        query(
          'histogram_quantile(0.95, sum by (le) (rate(search_duration_seconds_bucket[$__rate_interval])))',
          'search',
        ),
        query(
          'histogram_quantile(0.95, sum by (le) (rate(rag_request_duration_seconds_bucket[$__rate_interval])))',
          'answer',
        ),
      ]),
      lines('Answers past their time', 'Given since what computes them is away (`stale`).', 'ops', [
        query(rate('degraded_responses_total{reason="stale"}')),
      ]),
    ],
  ],
};
