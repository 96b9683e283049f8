import { type Dashboard, lines, number, query } from './dashboard.ts';

export const stores: Dashboard = {
  name: 'stores',
  title: 'stores and processes',
  about: 'What the service stands on: whether it answers, whether it is whole, and whether there is room.',
  rows: [
    [
      number(
        'Breakers open',
        'Dependencies that are known to be away.',
        'short',
        [query('count(max by (dependency) (breaker_state) == 2) or vector(0)')],
        1,
      ),
      number(
        'Damaged records',
        'In the blob store, found in the last 5 h. Alert RecordsDamaged.',
        'short',
        [query('max(max_over_time(index_drift{kind="damaged"}[5h]))')],
        1,
      ),
      number('Room for blobs', 'Alert DiskAlmostFull below 10 %.', 'percentunit', [
        query('min(disk_available_bytes / disk_size_bytes)'),
      ]),
      number('Youngest process', 'Since its start: it goes back to 0 where something is started again.', 's', [
        query('time() - max(process_start_time_seconds)'),
      ]),
    ],
    [
      lines(
        'Breakers',
        '0 closed, 1 half open, 2 open, by dependency; the worst of all processes.',
        'short',
        [query('max by (dependency) (breaker_state)', '{{dependency}}')],
        2,
      ),
      lines('Out of step, by kind', 'What reconciliation finds it repairs. Alert IndexDriftPersists.', 'short', [
        query('max by (kind) (index_drift)', '{{kind}}'),
      ]),
    ],
    [
      lines('Room for blobs', 'Bytes that can still be written. Alerts DiskAlmostFull and DiskFillsSoon.', 'bytes', [
        query('min by (volume) (disk_available_bytes)', '{{volume}}'),
      ]),
      lines('CPU', 'Cores in use by process, without its children.', 'short', [
        query('rate(process_cpu_seconds_total[$__rate_interval])', '{{job}} {{instance}} {{process}}'),
      ]),
    ],
  ],
};
