import { EventEmitter } from 'node:events';
import { expect, jest, test } from '@jest/globals';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { createShutdown, onParentGone } from './shutdown.ts';

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number) {
    this.exits.push(code);
  }
}

function setUp(graceMs = 1000) {
  const events: string[] = [];
  const note = (message: string) => void events.push(message);
  const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  const fake = new FakeProcess();
  const shutdown = createShutdown({ logger, graceMs, process: fake });
  return { events, fake, logger, shutdown };
}

test('a signal runs the steps from last to first and ends with status 0', async () => {
  const { fake, shutdown } = setUp();
  const order: string[] = [];
  shutdown.add('redis', async () => order.push('redis'));
  shutdown.add('server', async () => order.push('server'));
  fake.emit('SIGTERM');
  expect(shutdown.started).toBe(true);
  await shutdown.begin('again');
  expect(order).toEqual(['server', 'redis']);
  expect(fake.exits).toEqual([0]);
});

test('a step that fails does not keep the others from running, and shows in the status', async () => {
  const { fake, shutdown, events } = setUp();
  let closed = false;
  shutdown.add('redis', () => {
    closed = true;
  });
  shutdown.add('server', async () => {
    throw new Error('stuck');
  });
  await shutdown.begin('test');
  expect(closed).toBe(true);
  expect(events).toContain('could not close server');
  expect(fake.exits).toEqual([1]);
});

test('steps that take too long are left behind', async () => {
  const { fake, shutdown } = setUp(20);
  shutdown.add('server', () => new Promise(() => {}));
  await shutdown.begin('test');
  expect(fake.exits).toEqual([1]);
});

test('a second signal ends at once', () => {
  const { fake, shutdown } = setUp();
  shutdown.add('server', () => new Promise(() => {}));
  fake.emit('SIGINT');
  fake.emit('SIGINT');
  expect(fake.exits).toEqual([1]);
});

test('what nobody caught is logged and ends the process', () => {
  const { fake, events } = setUp();
  fake.emit('unhandledRejection', new Error('forgotten'));
  fake.emit('uncaughtException', 'a string');
  expect(events).toEqual(['unhandled rejection', 'uncaught exception']);
  expect(fake.exits).toEqual([1, 1]);
});

test('a disposed shutdown no longer listens', () => {
  const { fake, shutdown } = setUp();
  shutdown.dispose();
  expect(fake.eventNames()).toEqual([]);
});

test('a parent that is gone is noticed once', async () => {
  let pid = 7;
  const gone = new Promise<void>((resolve) => {
    onParentGone(resolve, { parentPid: () => pid, everyMs: 1 });
  });
  pid = 1;
  await gone;
});

test('a parent that stays is no reason to end, and it is not looked at any more once that was stopped', () => {
  jest.useFakeTimers();
  let pid = 7;
  const ended: string[] = [];
  const stop = onParentGone(() => ended.push('gone'), { parentPid: () => pid, everyMs: 10 });
  jest.advanceTimersByTime(30);
  stop();
  pid = 1;
  jest.advanceTimersByTime(30);
  // The parent of this very process is there.
  const stopAgain = onParentGone(() => ended.push('gone'));
  jest.advanceTimersByTime(1000);
  stopAgain();
  jest.useRealTimers();
  expect(ended).toEqual([]);
});

test('without another one it is this process whose signals are listened to', () => {
  const { logger } = setUp();
  const before = process.listenerCount('SIGTERM');
  const shutdown = createShutdown({ logger, graceMs: 1 });
  expect(process.listenerCount('SIGTERM')).toBe(before + 1);
  shutdown.dispose();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
