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

test('says who has more than half of the places, and nothing where nobody has', () => {
  const running = createRunningJobs();
  const [a, b] = [{ tenant: 'a', priority: 'normal' } as const, { tenant: 'b', priority: 'normal' } as const];
  const first = running.start('1', 60_000, a);
  expect(running.majority).toEqual(a);
  const other = running.start('2', 60_000, b);
  expect(running.majority).toBeUndefined();
  const urgent = running.start('3', 60_000, { tenant: 'a', priority: 'high' });
  expect(running.majority).toBeUndefined();
  const second = running.start('4', 60_000, b);
  const third = running.start('5', 60_000, b);
  expect(running.majority).toEqual(b);
  for (const run of [first, other, urgent, second, third]) run.end();
  expect(running.majority).toBeUndefined();
});

test('a worker that stops stops all its steps, those included that begin afterwards', () => {
  const running = createRunningJobs();
  const before = running.start('a', 60_000);
  running.stopAll();
  const after = running.start('b', 60_000);
  for (const run of [before, after]) expect(run.signal.reason).toMatchObject({ retry: { kind: 'elsewhere' } });
  expect(running.ids).toEqual(['a', 'b']);
  before.end();
  after.end();
});

test('the end of a step whose job was taken again meanwhile leaves the other alone', () => {
  const running = createRunningJobs();
  const [lost, again] = [running.start('a', 60_000), running.start('a', 60_000)];
  lost.end();
  expect(running.ids).toEqual(['a']);
  running.loseLocks(['a']);
  expect([lost.signal.aborted, again.signal.aborted]).toEqual([false, true]);
  again.end();
  expect(running.size).toBe(0);
});
