import { expect, test } from '@jest/globals';
import { metricNames } from './metric-names.ts';

test.each([
  ['up', ['up']],
  ['sum by (le, tier) (rate(job_wait_seconds_bucket{tier="parse"}[5m]))', ['job_wait_seconds']],
  [
    '(sum(rate(a_total{x="y"}[$__rate_interval])) or vector(0)) / sum(rate(b_total[5m])) > 0.05',
    ['a_total', 'b_total'],
  ],
  ['max by (queue) (q_age{state="wait"}) > 300 and max by (queue) (q_jobs) == 0', ['q_age', 'q_jobs']],
  ['a / on() group_left() sum(b) unless c', ['a', 'b', 'c']],
  ['predict_linear(disk_bytes[6h], 24 * 3600) < 0', ['disk_bytes']],
  ['team:errors:ratio_rate5m > 14.4 * 0.001', ['team:errors:ratio_rate5m']],
  ['time() - max(process_start_time_seconds)', ['process_start_time_seconds']],
])('%s names its metrics', (expression, names) => {
  expect(metricNames(expression)).toEqual(names);
});
