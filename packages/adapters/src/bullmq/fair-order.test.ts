import { afterAll, beforeEach, expect, test } from '@jest/globals';
import type { Priority } from '@semantic-memory/shared/contracts/model/ids';
import { parseJobFor } from '@semantic-memory/shared/testing/job-queue-suite';
import { Queue } from 'bullmq';
import { openRedis } from '../redis/connection.ts';
import { othersWait, placeAgain, placeInTurn, priorityClass } from './fair-order.ts';
import { createBullmqQueue } from './job-queue.ts';

const url = process.env.TEST_REDIS_URL ?? '';
const redis = openRedis(url, { name: 'fair-order-test', prefix: 'test' });
let tests = 0;
let prefix: string;
let queue: ReturnType<typeof createBullmqQueue>;
const opened: { close(): Promise<unknown> }[] = [];

beforeEach(() => {
  tests += 1;
  prefix = `fair-test-${process.pid}-${Date.now()}-${tests}`;
  queue = createBullmqQueue({ url, prefix });
  opened.push(queue);
});
afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()));
  await redis.quit();
});

const queueKey = () => `${prefix}:ingest.parse`;
/** A job of a tenant; its document is named after it. */
const jobOf = (tenant: string, name: string, priority?: Priority) => {
  const job = parseJobFor(undefined, priority ? { priority } : {});
  return { ...job, payload: { ...job.payload, tenant, documentId: name } };
};
const jobs = (tenant: string, count: number, priority?: Priority) =>
  Array.from({ length: count }, (_, index) => jobOf(tenant, `${tenant}${index + 1}`, priority));

/** What would be taken next, in order, by the documents' names; removes it, as a worker does. */
async function take(count: number): Promise<string[]> {
  const names: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const [id] = await redis.zpopmin(`${queueKey()}:prioritized`);
    if (id === undefined) break;
    names.push(JSON.parse((await redis.hget(`${queueKey()}:${id}`, 'data')) ?? '{}').documentId);
  }
  return names;
}

test("thousands of one tenant's jobs wait, and another's one is next", async () => {
  await queue.add(jobs('a', 5000));
  await take(1);
  await queue.add([jobOf('b', 'b1')]);
  expect(await take(3)).toEqual(['b1', 'a2', 'a3']);
});

test('tenants take turns, whoever came first and however much each has, each in its own order', async () => {
  await queue.add(jobs('a', 6));
  await queue.add(jobs('b', 3));
  await queue.add(jobs('c', 1));
  expect(await take(10)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'b3', 'a4', 'a5', 'a6']);
});

test('who comes late does not make up for the turns before, nor wait for them', async () => {
  await queue.add(jobs('a', 1000));
  await take(500);
  await queue.add(jobs('b', 3));
  expect(await take(6)).toEqual(['b1', 'a501', 'a502', 'b2', 'a503', 'b3']);
});

test('who sends one job after another gets one turn in a round, not more', async () => {
  await queue.add(jobs('a', 100));
  const order: string[] = [];
  for (let index = 1; index <= 3; index += 1) {
    await queue.add([jobOf('b', `b${index}`)]);
    order.push(...(await take(2)));
  }
  expect(order).toEqual(['a1', 'b1', 'b2', 'a2', 'b3', 'a3']);
});

test('a higher priority goes first, whoever has it; within each the tenants take turns', async () => {
  await queue.add([...jobs('a', 2, 'low'), ...jobs('a', 2), ...jobs('a', 2, 'high'), jobOf('b', 'b-low', 'low')]);
  await queue.add([jobOf('b', 'b-high', 'high')]);
  expect(await take(8)).toEqual(['a1', 'b-high', 'a2', 'a1', 'a2', 'a1', 'b-low', 'a2']);
});

test('a job that is added again keeps its place', async () => {
  const [first, ...others] = jobs('a', 3);
  if (!first) throw new Error('no job');
  await queue.add([first, ...others]);
  await queue.add([first]);
  await queue.add([jobOf('b', 'b1')]);
  expect(await take(4)).toEqual(['a1', 'b1', 'a2', 'a3']);
});

test('once nobody waits the rounds begin anew', async () => {
  await queue.add(jobs('a', 50));
  await take(50);
  await queue.add([...jobs('b', 2), ...jobs('a', 2)]);
  expect(await take(4)).toEqual(['b1', 'a1', 'b2', 'a2']);
});

test('a queue that is never empty goes on in turns when the numbers come to their end', async () => {
  const raw = new Queue('ingest.parse', { connection: { url }, prefix });
  opened.push(raw);
  const place = priorityClass('normal', 12);
  let added = 0;
  const add = async (tenant: string, count: number) => {
    const batch = Array.from({ length: count }, () => ({ id: `job-${++added}`, tenant, name: `${tenant}-${added}` }));
    for (const { id, name } of batch) {
      await raw.add('parse', { documentId: name }, { jobId: id, priority: place.unplaced });
    }
    await placeInTurn(redis, queueKey(), place, batch);
    return batch.map(({ name }) => name);
  };
  const expected: string[] = await add('a', 5);
  const taken: string[] = [];
  for (let round = 0; round < 40; round += 1) {
    taken.push(...(await take(1)));
    expected.push(...(await add('a', 1)));
  }
  // Far beyond twelve numbers, and never out of order.
  expect(taken).toEqual(expected.slice(0, 40));
  await add('b', 1);
  expect((await take(2)).filter((name) => name.startsWith('b'))).toHaveLength(1);
  // Where a job comes back from, its number has moved with the others.
  const numbers = await redis.zrange(`${queueKey()}:prioritized`, '0', '-1', 'WITHSCORES');
  for (let index = 0; index < numbers.length; index += 2) {
    const kept = Number(await redis.hget(`${queueKey()}:${numbers[index]}`, 'priority'));
    expect(Math.floor(Number(numbers[index + 1]) / 2 ** 32)).toBe(kept);
    expect(kept).toBeLessThan(place.unplaced);
  }
});

test('a long job makes way for other tenants and higher priorities, not for its own tenant', async () => {
  const waits = (priority: Priority = 'normal') => othersWait(redis, queueKey(), priority, 'a');
  expect(await waits()).toBe(false);
  await queue.add(jobs('a', 20));
  expect(await waits()).toBe(false);
  await queue.add([jobOf('b', 'b-low', 'low')]);
  expect(await waits()).toBe(false);
  await queue.add([jobOf('b', 'b1')]);
  expect(await waits()).toBe(true);
  expect(await waits('high')).toBe(false);
  await take(2);
  await take(1);
  expect(await waits()).toBe(false);
  await queue.add([jobOf('a', 'urgent', 'high')]);
  expect(await waits()).toBe(true);
});

test('what makes way goes on after one round, not behind all that its tenant has waiting', async () => {
  await queue.add(jobs('a', 100));
  await take(1);
  await queue.add(jobs('b', 2));
  const raw = new Queue('ingest.parse', { connection: { url }, prefix });
  opened.push(raw);
  await raw.add('parse', { documentId: 'half done' }, { jobId: 'half' });
  await redis.lrem(`${queueKey()}:wait`, 1, 'half');
  await placeAgain(redis, queueKey(), priorityClass('normal'), { id: 'half', tenant: 'a' });
  const number = Number(await redis.hget(`${queueKey()}:half`, 'priority'));
  await redis.zadd(`${queueKey()}:prioritized`, number * 2 ** 32, 'half');
  expect(await take(5)).toEqual(['b1', 'a2', 'half done', 'a3', 'b2']);
});

test('the age of the oldest job is found behind the turns of others', async () => {
  await queue.add(jobs('a', 30));
  const before = Date.now();
  while (Date.now() < before + 60) await new Promise((resolve) => setTimeout(resolve, 10));
  await queue.add(jobs('b', 30));
  await take(2);
  const parse = (await queue.counts()).find((count) => count.tier === 'parse');
  expect(parse).toMatchObject({ waiting: 58 });
  expect(parse?.oldestWaitSeconds).toBeGreaterThanOrEqual(0.06);
});
