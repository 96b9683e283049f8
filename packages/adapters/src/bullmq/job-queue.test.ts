import { afterAll, expect, test } from '@jest/globals';
import { jobRegistry } from '@semantic-memory/shared/contracts/jobs';
import { jobQueueSuite, parseJobFor } from '@semantic-memory/shared/testing/job-queue-suite';
import { closeRedis, openRedis, withRedis } from '../redis/connection.ts';
import { openRedisLink } from '../redis/testing/redis-link.ts';
import { createBullmqQueue } from './job-queue.ts';
import { queueName } from './queue-names.ts';

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

test('an add that a break of the connection met fails, and the next one is made', async () => {
  const link = await openRedisLink(url);
  const queue = createBullmqQueue({ url: link.url, prefix: `queue-test-${process.pid}-link` });
  queues.push(queue);
  await queue.counts();
  // The connection is there, and breaks before the first command of the tier's queue is answered.
  link.freeze();
  const adds = [queue.add([parseJobFor()]), queue.add([parseJobFor()])];
  setImmediate(() => link.cut());
  for (const add of adds) await expect(add).rejects.toMatchObject({ code: 'dependency_unavailable' });
  link.restore();
  await untilThere(() => queue.add([parseJobFor()]));
  const counts = await queue.counts();
  expect(counts.find(({ tier }) => tier === 'parse')).toMatchObject({ waiting: 1 });
  // Once more, with a queue that was ready.
  link.cut();
  await expect(queue.add([parseJobFor()])).rejects.toMatchObject({ code: 'dependency_unavailable' });
  link.restore();
  await untilThere(() => queue.add([parseJobFor()]));
  await link.close();
});

async function untilThere(act: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      expect(error).toMatchObject({ code: 'dependency_unavailable' });
    }
  }
}

test('starts of a suspect are counted beside its job, and a stall that was no death of it is taken back', async () => {
  const queue = create();
  const redis = openRedis(url, { name: 'test', prefix: 'test' });
  const job = parseJobFor();
  await queue.add([job]);
  const id = jobRegistry.parse.dedupeId(job.payload as never);
  expect([await queue.countLoneStart('parse', id, 1), await queue.countLoneStart('parse', id, 1)]).toEqual([1, 2]);
  expect(await queue.countLoneStart('parse', id, -1)).toBe(1);
  const key = `queue-test-${process.pid}-${queues.length - 1}:${queueName('parse')}:${id}`;
  const counted = () => withRedis(redis, () => redis.hmget(key, 'stc', 'loneStarts'));
  await withRedis(redis, () => redis.hset(key, 'stc', 2));
  await queue.forgiveStall('parse', [id, 'one that is gone']);
  expect(await counted()).toEqual(['1', '0']);
  // The first stall makes nobody a suspect, so that no start of it was counted.
  await queue.forgiveStall('parse', [id]);
  expect(await counted()).toEqual(['0', '0']);
  await queue.forgiveStall('parse', []);
  expect(await queue.countLoneStart('parse', 'one that is gone', 1)).toBe(0);
  await closeRedis(redis);
});
