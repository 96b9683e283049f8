import { expect, test } from '@jest/globals';
import { answersHeartbeat } from './chroma-server.ts';
import { answersPing } from './redis-server.ts';

test('the test run has a Redis and a Chroma of its own', async () => {
  const redis = new URL(process.env.TEST_REDIS_URL ?? '');
  expect(await answersPing(Number(redis.port), redis.hostname)).toBe(true);
  const chroma = `http://${process.env.TEST_CHROMA_HOST}:${process.env.TEST_CHROMA_PORT}`;
  expect(await answersHeartbeat(chroma)).toBe(true);
});
