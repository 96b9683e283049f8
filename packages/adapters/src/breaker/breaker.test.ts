import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type BreakerState, createBreaker, type Verdict } from './breaker.ts';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

class Fault extends Error {
  readonly verdict: Verdict;
  readonly openMs: number;
  constructor(verdict: Verdict, openMs = 500) {
    super(verdict);
    this.verdict = verdict;
    this.openMs = openMs;
  }
}

function bench(probe?: () => Promise<unknown>) {
  const states: BreakerState[] = [];
  const breaker = createBreaker({
    verdictOf: (error) => (error instanceof Fault ? error.verdict : 'answered'),
    openMs: (error) => (error instanceof Fault ? error.openMs : 500),
    probe,
    onState: (state) => states.push(state),
    describe: () => ({ message: 'It is away.' }),
  });
  const fail = (verdict: Verdict, openMs?: number) =>
    breaker.run(() => Promise.reject(new Fault(verdict, openMs))).catch((error: Error) => error.message);
  return { breaker, states, fail };
}

test('three calls without an answer open it, an answer between them or a refusal does not', async () => {
  const { breaker, states, fail } = bench();
  await fail('failed');
  await fail('failed');
  await breaker.run(async () => 'well');
  await fail('failed');
  await fail('answered');
  await fail('failed');
  await fail('failed');
  expect(states).toEqual([]);
  expect(await fail('failed')).toBe('failed');
  expect(states).toEqual(['open']);
  expect(await fail('failed')).toBe('It is away.');
});

test('callers hear how long it is still left alone, for as long as it asked', async () => {
  const { breaker, fail } = bench();
  await fail('gone', 7000);
  jest.advanceTimersByTime(2000);
  expect(breaker.outage()).toMatchObject({
    code: 'dependency_unavailable',
    retry: { kind: 'wait', afterMs: 5000 },
    cause: { message: 'gone' },
  });
});

test('without a probe the first call after the pause is the trial, and only that one', async () => {
  const { breaker, states, fail } = bench();
  await fail('gone');
  jest.advanceTimersByTime(499);
  expect(breaker.outage()).toBeDefined();
  jest.advanceTimersByTime(1);
  expect(states).toEqual(['open', 'half_open']);
  const { promise, resolve } = Promise.withResolvers<string>();
  const trial = breaker.run(() => promise);
  await expect(breaker.run(async () => 'another')).rejects.toMatchObject({ code: 'dependency_unavailable' });
  resolve('well');
  expect(await trial).toBe('well');
  expect(states.at(-1)).toBe('closed');
});

test('the probe closes it with nobody calling, however often it fails before, and whoever sets the clock', async () => {
  let there = false;
  let probes = 0;
  const { breaker, states, fail } = bench(async () => {
    probes += 1;
    if (!there) throw new Fault('gone');
  });
  await fail('gone');
  for (let time = 1; time <= 20; time += 1) {
    // Back by an hour: the pause is not an hour longer.
    jest.setSystemTime(Date.now() - 3_600_000);
    await jest.advanceTimersByTimeAsync(500);
    expect(probes).toBe(time);
    expect(breaker.outage()).toBeDefined();
  }
  there = true;
  await jest.advanceTimersByTimeAsync(500);
  expect(states.at(-1)).toBe('closed');
  expect(await breaker.run(async () => 'well')).toBe('well');
});

test('a caller that asks without a pause does not keep the event loop from the probe', async () => {
  jest.useRealTimers();
  let there = false;
  const { breaker, fail } = bench(async () => {
    if (!there) throw new Fault('gone', 5);
  });
  await fail('gone', 5);
  setTimeout(() => {
    there = true;
  }, 20);
  const deadline = Date.now() + 3000;
  while (breaker.outage() && Date.now() < deadline) await breaker.run(async () => {}).catch(() => {});
  expect(breaker.outage()).toBeUndefined();
  expect(there).toBe(true);
});

test('one that is disposed of while a call is under way probes no more', async () => {
  let probes = 0;
  const { breaker, states } = bench(async () => {
    probes += 1;
  });
  const { promise, reject } = Promise.withResolvers<never>();
  const call = breaker.run(() => promise).catch((error: Error) => error.message);
  breaker.dispose();
  reject(new Fault('gone'));
  expect([await call, states]).toEqual(['gone', ['open']]);
  await jest.advanceTimersByTimeAsync(5000);
  expect([probes, jest.getTimerCount()]).toEqual([0, 0]);
});
