import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { throttled } from './throttled.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('the first of many calls is passed on, and the next one when the time is over', () => {
  const heard: string[] = [];
  const say = throttled((what: string) => heard.push(what), 1000);
  say('first');
  jest.advanceTimersByTime(999);
  say('swallowed');
  jest.advanceTimersByTime(1);
  say('next');
  expect(heard).toEqual(['first', 'next']);
});
