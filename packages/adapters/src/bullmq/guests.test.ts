import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Job, Worker } from 'bullmq';
import { startGuests } from './guests.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const job = { id: 'j' } as Job;

/** Guests of a worker with one place, which one tenant has. */
function bench(what: {
  running?: number;
  othersWait?: () => Promise<boolean>;
  next?: () => Promise<Job | undefined>;
  served?: () => Promise<void>;
}) {
  const { running = 1, othersWait = async () => true, next = async () => job, served = async () => {} } = what;
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  const seen = { asked: 0, taken: 0, served: 0 };
  const worker = {
    id: 'w',
    getNextJob: () => {
      seen.taken += 1;
      return next();
    },
    processJob: () => {
      seen.served += 1;
      return served();
    },
  } as unknown as Worker;
  const desk = {
    othersWait: () => {
      seen.asked += 1;
      return othersWait();
    },
  };
  const hands = { size: running, majority: { priority: 'normal', tenant: 'large' } as const };
  const guests = startGuests({ worker, tier: 'parse', desk, running: hands, concurrency: 1, places: 2, logger });
  return { guests, logged, seen };
}

test('a worker with room of its own looks for no guests', async () => {
  const { guests, seen } = bench({ running: 0 });
  await jest.advanceTimersByTimeAsync(100);
  await guests.close();
  expect(seen).toEqual({ asked: 0, taken: 0, served: 0 });
});

test('where another worker was faster there is nobody to be served, and the look is repeated', async () => {
  const jobs = [undefined, job];
  const waiting = [true, true, false];
  const { guests, seen } = bench({
    othersWait: async () => waiting.shift() ?? false,
    next: async () => jobs.shift(),
  });
  await jest.advanceTimersByTimeAsync(25);
  expect(seen).toEqual({ asked: 1, taken: 1, served: 0 });
  await jest.advanceTimersByTimeAsync(25);
  expect(seen).toEqual({ asked: 3, taken: 2, served: 1 });
  await guests.close();
});

test('while the queue is away nobody can be looked for; the next look is made all the same', async () => {
  const answers = [() => Promise.reject(new Error('away')), async () => false];
  const { guests, logged, seen } = bench({ othersWait: () => answers.shift()?.() ?? Promise.resolve(false) });
  await jest.advanceTimersByTimeAsync(50);
  await guests.close();
  expect([logged, seen.asked]).toEqual([['nobody can be looked for'], 2]);
});

test('a guest whose end could not be reported is logged, and its place is free again', async () => {
  let left = 3;
  const { guests, logged, seen } = bench({
    othersWait: async () => left-- > 0,
    served: () => Promise.reject(new Error('away')),
  });
  await jest.advanceTimersByTimeAsync(100);
  await guests.close();
  expect([logged, seen.served]).toEqual([new Array(3).fill('the end of a step could not be reported'), 3]);
});
