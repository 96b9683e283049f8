import { afterAll } from '@jest/globals';
import { replyBoxSuite } from '@semantic-memory/shared/testing/reply-box-suite';
import { createRedisReplyBox } from './reply-box.ts';

const options = { url: process.env.TEST_REDIS_URL ?? '', prefix: `replies-test-${process.pid}` };
const [box, other] = [createRedisReplyBox(options), createRedisReplyBox(options)];
afterAll(() => Promise.all([box.close(), other.close()]));

replyBoxSuite('the box of replies in Redis', () => ({ box, other }));
