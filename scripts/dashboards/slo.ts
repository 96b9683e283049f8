import { type Dashboard, lines, number, query, rate, window } from './dashboard.ts';

/** As docs/alerts/slo.yaml has it. */
const budget = 0.001;
const requests = 'http_request_duration_seconds_count{route=~"/api/.+"}';
const errors = 'http_request_duration_seconds_count{route=~"/api/.+",status="5xx"}';
const errorShare = (over: string) => `(sum(rate(${errors}[${over}])) or vector(0)) / sum(rate(${requests}[${over}]))`;

export const slo: Dashboard = {
  name: 'slo',
  title: 'objectives',
  about: '99.9 % of the requests under /api are answered without a 5xx, over 30 days.',
  rows: [
    [
      number('Answered', 'Share of the requests without a 5xx, over 30 days.', 'percentunit', [
        query(`1 - ${errorShare('30d')}`),
      ]),
      number('Error budget left', 'Of 30 days; below 0 it is spent.', 'percentunit', [
        query(`1 - (${errorShare('30d')}) / ${budget}`),
      ]),
      number(
        'Burn rate, 1 h',
        '1 spends the budget in 30 days. Alert ErrorBudgetBurnsFast at 14.4.',
        'short',
        [query(`(${errorShare('1h')}) / ${budget}`)],
        14.4,
      ),
      number(
        'Burn rate, 6 h',
        'Alert ErrorBudgetBurnsSlowly at 6.',
        'short',
        [query(`(${errorShare('6h')}) / ${budget}`)],
        6,
      ),
    ],
    [
      lines('Requests by status', '4xx are the callers’; 5xx are ours.', 'reqps', [
        query(rate(requests, 'status'), '{{status}}'),
      ]),
      lines('5xx by route', 'Where the budget goes; nothing where there is no 5xx.', 'reqps', [
        query(`sum by (route) (rate(${errors}[${window}])) or sum(rate(${requests}[${window}])) * 0`, '{{route}}'),
      ]),
    ],
    [
      lines('Latency by route, p95', 'Streams count until their end.', 's', [
        query(
          `histogram_quantile(0.95, sum by (le, route) (rate(http_request_duration_seconds_bucket{route=~"/api/.+"}[${window}])))`,
          '{{route}}',
        ),
      ]),
      lines('Requests by route', 'Templates, never an id.', 'reqps', [query(rate(requests, 'route'), '{{route}}')]),
    ],
  ],
};
