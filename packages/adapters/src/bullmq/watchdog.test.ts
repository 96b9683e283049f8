import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createInMemoryQueue } from '@semantic-memory/shared/testing/in-memory-queue';
import { parseJobFor } from '@semantic-memory/shared/testing/job-queue-suite';
import { startWatchdog } from './watchdog.ts';

const ignore = () => {};
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => logger };

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A worker that took its last job just now, and what the watchdog said after so many seconds. */
async function stuckAfter(
  seconds: number,
  worker: { running?: number },
  change: { unavailable?: boolean; empty?: boolean; full?: boolean } = {},
) {
  const queue = createInMemoryQueue();
  if (!change.empty) await queue.add([parseJobFor()]);
  queue.unavailable = change.unavailable ?? false;
  let stuck = 0;
  const stop = startWatchdog({
    queue,
    checkWrites: async () => {
      if (change.full) throw new Error('OOM command not allowed');
    },
    workers: [{ tier: 'parse', concurrency: 1, running: worker.running ?? 0, lastActivityAt: Date.now() }],
    logger,
    onStuck: () => {
      stuck += 1;
    },
  });
  await jest.advanceTimersByTimeAsync(seconds * 1000);
  stop();
  return stuck;
}

test('a worker that takes none of the waiting jobs is found once', async () => {
  expect(await stuckAfter(60, {})).toBe(0);
  expect(await stuckAfter(300, {})).toBe(1);
});

test('a busy worker, an empty queue, an outage and a Redis that is full are no reason', async () => {
  expect(await stuckAfter(300, { running: 1 })).toBe(0);
  expect(await stuckAfter(300, {}, { empty: true })).toBe(0);
  expect(await stuckAfter(300, {}, { unavailable: true })).toBe(0);
  expect(await stuckAfter(300, {}, { full: true })).toBe(0);
});

test('a worker that stood still during an outage, and goes on doing so after it, is found', async () => {
  const queue = createInMemoryQueue();
  await queue.add([parseJobFor()]);
  queue.unavailable = true;
  let stuck = 0;
  const stop = startWatchdog({
    queue,
    checkWrites: async () => {},
    workers: [{ tier: 'parse', concurrency: 1, running: 0, lastActivityAt: Date.now() }],
    logger,
    onStuck: () => {
      stuck += 1;
    },
  });
  await jest.advanceTimersByTimeAsync(300_000);
  expect(stuck).toBe(0);
  queue.unavailable = false;
  await jest.advanceTimersByTimeAsync(20_000);
  expect(stuck).toBe(0);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(stuck).toBe(1);
  stop();
});
