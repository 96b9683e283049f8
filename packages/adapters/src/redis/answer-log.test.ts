import { setTimeout } from 'node:timers/promises';
import { afterAll } from '@jest/globals';
import { answerLogSuite } from '@semantic-memory/shared/testing/answer-log-suite';
import { createRedisAnswerLog } from './answer-log.ts';

const server = { url: process.env.TEST_REDIS_URL ?? '', prefix: `answers-test-${process.pid}` };
const log = createRedisAnswerLog(server);
const other = createRedisAnswerLog(server);
const hasty = createRedisAnswerLog({ ...server, keepMs: 1000, silentMs: 1000, maxAnswers: 2 });
afterAll(() => Promise.all([log, other, hasty].map((one) => one.close())));

// The clock is the server's own.
answerLogSuite('the log of answers in Redis', () => ({ log, other, hasty, pass: () => setTimeout(1100) }));
