import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createSharedBudget } from './shared-budget.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('what a process has stored counts for as long as it lives, and then makes room', () => {
  const budget = createSharedBudget(100);
  expect([budget.take(60, 1000), budget.take(40, 2000), budget.take(1, 1000)]).toEqual([true, true, false]);
  jest.advanceTimersByTime(1000);
  expect([budget.take(61, 1000), budget.take(60, 1000)]).toEqual([false, true]);
  jest.advanceTimersByTime(1000);
  expect(budget.take(100, 1000)).toBe(true);
});
