import { expect, test } from '@jest/globals';
import { mergeMetrics } from './merged-metrics.ts';

const source = (process: string, text: string | undefined) => ({ process, read: async () => text });

test('families of several processes come once, with a label for the process', async () => {
  const text = (n: number) =>
    `# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total{tier="ocr"} ${n}\njobs_total{tier="parse"} 0\n`;
  expect(await mergeMetrics([source('a', text(1)), source('b', text(2))])).toBe(
    [
      '# HELP jobs_total Jobs.',
      '# TYPE jobs_total counter',
      'jobs_total{process="a",tier="ocr"} 1',
      'jobs_total{process="a",tier="parse"} 0',
      'jobs_total{process="b",tier="ocr"} 2',
      'jobs_total{process="b",tier="parse"} 0',
      '',
    ].join('\n'),
  );
});

test('the parts of a histogram stay under its header', async () => {
  const histogram = [
    '# HELP took_seconds Time.',
    '# TYPE took_seconds histogram',
    'took_seconds_bucket{le="+Inf"} 3',
    'took_seconds_sum 1.5',
    'took_seconds_count 3',
  ].join('\n');
  const merged = await mergeMetrics([source('a', histogram), source('b', `up 1\n${histogram}`)]);
  expect(merged.match(/# TYPE took_seconds histogram/g)).toHaveLength(1);
  const afterHeader = merged.slice(merged.indexOf('# TYPE took_seconds'));
  expect(afterHeader.split('\n').slice(1, 7)).toEqual([
    'took_seconds_bucket{process="a",le="+Inf"} 3',
    'took_seconds_sum{process="a"} 1.5',
    'took_seconds_count{process="a"} 3',
    'took_seconds_bucket{process="b",le="+Inf"} 3',
    'took_seconds_sum{process="b"} 1.5',
    'took_seconds_count{process="b"} 3',
  ]);
  expect(merged).toContain('up{process="b"} 1');
});

test('a process that does not answer is left out', async () => {
  expect(await mergeMetrics([source('a', undefined), source('b', 'up{} 1\n')])).toBe('up{process="b"} 1\n');
});
