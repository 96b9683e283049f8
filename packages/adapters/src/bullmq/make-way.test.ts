import { expect, test } from '@jest/globals';
import type { Job } from 'bullmq';
import { priorityClass } from './fair-order.ts';
import type { QueueDesk } from './job-queue.ts';
import { createMakeWay } from './make-way.ts';

const jobOf = (priority: number) => ({ id: 'j', opts: { priority }, data: { tenant: 't' } }) as Job;
const placed = jobOf(priorityClass('normal').unplaced);

function makeWay(job: Job, othersWait: QueueDesk['othersWait'], { sliceMs = 0, isClosing = false } = {}) {
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  const desk = { othersWait } as QueueDesk;
  const ask = createMakeWay({ tier: 'parse', desk, sliceMs, logger, isClosing: () => isClosing }, job);
  return { ask, logged };
}

test('a job that runs long hears from the queue whether others of its priority wait', async () => {
  const asked: unknown[] = [];
  const answers = [false, true];
  const { ask } = makeWay(placed, async (...what) => {
    asked.push(what);
    return answers.shift() ?? false;
  });
  expect([await ask(), await ask()]).toEqual([false, true]);
  expect(asked).toEqual([
    ['parse', 'normal', 't'],
    ['parse', 'normal', 't'],
  ]);
});

test('the queue is not asked before the slice is over, nor for a job that takes no turns', async () => {
  const never = () => Promise.reject(new Error('was asked'));
  const [early, placeless] = [makeWay(placed, never, { sliceMs: 60_000 }), makeWay(jobOf(0), never)];
  expect([await early.ask(), await placeless.ask()]).toEqual([false, false]);
  expect([...early.logged, ...placeless.logged]).toEqual([]);
});

test('while the queue is away the work goes on, unless the worker closes', async () => {
  const away = () => Promise.reject(new Error('Redis is away'));
  const { ask, logged } = makeWay(placed, away);
  expect(await ask()).toBe(false);
  expect(logged).toEqual(['the queue cannot be looked at']);
  expect(await makeWay(placed, away, { isClosing: true }).ask()).toBe(true);
});
