import { afterAll, expect, test } from '@jest/globals';
import { jobQueueSuite, parseJobFor } from '@semantic-memory/shared/testing/job-queue-suite';
import { createBullmqQueue } from './job-queue.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const queues: ReturnType<typeof createBullmqQueue>[] = [];
const create = () => {
  const queue = createBullmqQueue({ url, prefix: `queue-test-${process.pid}-${queues.length}` });
  queues.push(queue);
  return queue;
};
afterAll(() => Promise.all(queues.map((queue) => queue.close())));

jobQueueSuite('the queue in BullMQ', create);

test('a payload that its schema refuses is not queued', async () => {
  const job = parseJobFor();
  const bad = { ...job, payload: { ...job.payload, jobId: 'not-a-job-id' } };
  await expect(create().add([bad])).rejects.toMatchObject({ code: 'internal' });
});

test('where Redis is away an add fails soon and says so', async () => {
  // Port 1 of this machine answers nobody.
  const queue = createBullmqQueue({ url: 'redis://127.0.0.1:1', prefix: 'nowhere' });
  queues.push(queue);
  const startedAt = Date.now();
  await expect(queue.add([parseJobFor()])).rejects.toMatchObject({ code: 'dependency_unavailable' });
  await expect(queue.counts()).rejects.toMatchObject({ code: 'dependency_unavailable' });
  expect(Date.now() - startedAt).toBeLessThan(5000);
});
