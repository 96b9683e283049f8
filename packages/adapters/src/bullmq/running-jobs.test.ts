import { expect, jest, test } from '@jest/globals';
import { createRunningJobs } from './running-jobs.ts';

test('a step that takes too long is told so by its signal, and not before', () => {
  jest.useFakeTimers();
  try {
    const run = createRunningJobs().start('a', 5000);
    jest.advanceTimersByTime(4999);
    expect(run.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(run.signal.reason).toMatchObject({ code: 'limits_exceeded', retry: { kind: 'backoff' } });
  } finally {
    jest.useRealTimers();
  }
});

test('a lost lock stops that step only, and uses up no attempt', () => {
  const running = createRunningJobs();
  const [a, b] = [running.start('a', 60_000), running.start('b', 60_000)];
  running.loseLocks(['a', 'unknown']);
  expect(a.signal.reason).toMatchObject({ retry: { kind: 'elsewhere' } });
  expect(b.signal.aborted).toBe(false);
  a.end();
  b.end();
  expect(running.size).toBe(0);
});
