import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import { answerLogSuite } from '@semantic-memory/shared/testing/answer-log-suite';
import { createRedisAnswerLog } from './answer-log.ts';
import { closeRedis, openRedis, withRedis } from './connection.ts';
import { tenantTag } from './keys.ts';

const server = { url: process.env.TEST_REDIS_URL ?? '', prefix: `answers-test-${process.pid}` };
const log = createRedisAnswerLog(server);
const other = createRedisAnswerLog(server);
const hasty = createRedisAnswerLog({ ...server, keepMs: 1000, silentMs: 1000, maxAnswers: 2 });
afterAll(() => Promise.all([log, other, hasty].map((one) => one.close())));

// The clock is the server's own.
answerLogSuite('the log of answers in Redis', () => ({ log, other, hasty, pass: () => setTimeout(1100) }));

test('where an answer cannot be kept whoever begins it is told', async () => {
  const redis = openRedis(server.url, { name: 'test', prefix: 'test' });
  const tenant = 'one with another key in the way';
  await withRedis(redis, () => redis.set(`${server.prefix}:answers:${tenantTag(tenant)}:all`, 'not a sorted set'));
  await closeRedis(redis);
  const begun = log.begin(tenant, 'a', { documents: {}, entry: 'e' });
  await expect(begun).rejects.toMatchObject({ code: 'internal' });
});
