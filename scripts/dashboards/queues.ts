import { type Dashboard, lines, number, quantile, query, rate } from './dashboard.ts';

// Each API reports all queues: the sum over them would count every job several times.
const jobs = (state: string) => query(`max by (queue) (queue_jobs{state="${state}"})`, '{{queue}}');

export const queues: Dashboard = {
  name: 'queues',
  title: 'queues and tiers',
  about: 'What waits, what runs, and how the workers of each tier fare.',
  rows: [
    [
      number('Waiting', 'Jobs of all tiers.', 'short', [query('sum(max by (queue) (queue_jobs{state="wait"}))')]),
      number('Running', 'Jobs that a worker has in hand.', 'short', [
        query('sum(max by (queue) (queue_jobs{state="active"}))'),
      ]),
      number('Put off', 'Jobs that wait for a dependency or for their next attempt.', 'short', [
        query('sum(max by (queue) (queue_jobs{state="delayed"}))'),
      ]),
      number('Lost their worker', 'Runs whose process went away, a second. Alert JobsStalling.', 'ops', [
        query(rate('job_stalled_total')),
      ]),
    ],
    [
      lines('Waiting by queue', 'Grows where a tier is too slow: give it more replicas.', 'short', [jobs('wait')]),
      lines(
        'Age of the oldest waiting',
        'The line is alert QueueFallsBehind. QueueWedged: over 300 s and nothing runs.',
        's',
        [query('max by (queue) (queue_oldest_age_seconds{state="wait"})', '{{queue}}')],
        1800,
      ),
      lines('Running by queue', 'At its ceiling all the time: the tier is full.', 'short', [jobs('active')]),
    ],
    [
      lines('Time in the queue', 'From handed out to taken up, p95.', 's', [
        query(quantile(0.95, 'job_wait_seconds', 'tier'), '{{tier}}'),
      ]),
      lines('Time in a run', 'One attempt at one step, p95.', 's', [
        query(quantile(0.95, 'job_duration_seconds', 'tier'), '{{tier}}'),
      ]),
      lines('Runs by outcome', 'waiting: a dependency is away, no attempt is used up.', 'ops', [
        query(rate('job_attempts_total', 'tier', 'outcome'), '{{tier}} {{outcome}}'),
      ]),
    ],
    [
      lines(
        'Event loop late',
        'p99 by process. Work that belongs in a child process shows here. Alert ProcessBlocked.',
        's',
        [query('nodejs_eventloop_lag_p99_seconds', '{{job}} {{instance}} {{process}}')],
        0.5,
      ),
      lines('Memory', 'Resident bytes by process, without its children.', 'bytes', [
        query('process_resident_memory_bytes', '{{job}} {{instance}} {{process}}'),
      ]),
    ],
  ],
};
