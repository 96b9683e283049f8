import { expect, test } from '@jest/globals';
import { createInMemoryQueue } from './in-memory-queue.ts';
import { jobQueueSuite, parseJobFor } from './job-queue-suite.ts';

jobQueueSuite('the queue in memory', () => createInMemoryQueue());

test('the queue in memory hands out by priority, then age, and can be made to fail', async () => {
  const queue = createInMemoryQueue();
  const [low, first, second, high] = [
    { ...parseJobFor(), priority: 'low' as const },
    parseJobFor(),
    parseJobFor(),
    { ...parseJobFor(), priority: 'high' as const },
  ];
  await queue.add([low, first, second, high]);
  expect([queue.take(), queue.take(), queue.take(), queue.take(), queue.take()]).toEqual([
    high,
    first,
    second,
    low,
    undefined,
  ]);
  queue.unavailable = true;
  await expect(queue.add([first])).rejects.toMatchObject({ code: 'dependency_unavailable' });
});
