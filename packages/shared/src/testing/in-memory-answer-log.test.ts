import { answerLogSuite } from './answer-log-suite.ts';
import { createInMemoryAnswerLog } from './in-memory-answer-log.ts';

answerLogSuite('the log of answers in memory', () => {
  let now = 0;
  const clock = { now: () => now };
  const answers = new Map();
  const readers = new Map();
  return {
    log: createInMemoryAnswerLog({ clock }, answers, readers),
    other: createInMemoryAnswerLog({ clock }, answers, readers),
    hasty: createInMemoryAnswerLog({ clock, keepMs: 1000, silentMs: 1000, maxAnswers: 2 }, answers, readers),
    pass: async () => {
      now += 1001;
    },
  };
});
