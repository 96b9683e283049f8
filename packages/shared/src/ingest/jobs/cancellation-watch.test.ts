import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { silentLogger } from '../../testing/in-memory-flow.ts';
import { createInMemoryLedger } from '../../testing/in-memory-ledger.ts';
import { accept, freshScope } from '../../testing/ledger-fixtures.ts';
import { onNext } from '../../testing/on-next.ts';
import { type CancellationWatch, createCancellationWatch } from './cancellation-watch.ts';

let ledger: Ledger;
let watch: CancellationWatch;
beforeEach(() => {
  jest.useFakeTimers();
  ledger = createInMemoryLedger();
  watch = createCancellationWatch({ ledger, logger: silentLogger });
});
afterEach(() => {
  watch.close();
  jest.useRealTimers();
});

const cancel = (tenant: string, jobId: string) =>
  ledger.updateJob(tenant, jobId, (job) => ({ ...job, state: 'cancelled' }));

test('a step hears within a second that its job was cancelled, and the others go on', async () => {
  const scope = freshScope();
  const [mine, other] = [await accept(ledger, scope, 'a'), await accept(ledger, scope, 'b')];
  const [one, two] = [watch.watch(scope.tenant, mine.id), watch.watch(scope.tenant, other.id)];
  await jest.advanceTimersByTimeAsync(1000);
  expect(one.signal.aborted).toBe(false);
  await cancel(scope.tenant, mine.id);
  await jest.advanceTimersByTimeAsync(1000);
  expect(one.signal.aborted).toBe(true);
  expect(two.signal.aborted).toBe(false);
});

test('while the ledger is away nobody is told anything; once it is back, they are', async () => {
  const scope = freshScope();
  const job = await accept(ledger, scope, 'a');
  await cancel(scope.tenant, job.id);
  const { signal } = watch.watch(scope.tenant, job.id);
  onNext(ledger, 'getJobs', () => Promise.reject(new MemoryError('dependency_unavailable', 'It is away.')));
  await jest.advanceTimersByTimeAsync(1000);
  expect(signal.aborted).toBe(false);
  await jest.advanceTimersByTimeAsync(1000);
  expect(signal.aborted).toBe(true);
});

test('a ledger that takes longer than a second is not asked once more meanwhile', async () => {
  const scope = freshScope();
  const job = await accept(ledger, scope, 'a');
  const { signal, stop } = watch.watch(scope.tenant, job.id);
  let asked = 0;
  const { getJobs } = ledger;
  let answer = () => {};
  ledger.getJobs = async (...args) => {
    asked += 1;
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return getJobs(...args);
  };
  await jest.advanceTimersByTimeAsync(3000);
  expect(asked).toBe(1);
  answer();
  await jest.advanceTimersByTimeAsync(1000);
  expect(asked).toBe(2);
  answer();
  stop();
  await jest.advanceTimersByTimeAsync(2000);
  expect(asked).toBe(2);
  expect(signal.aborted).toBe(false);
});

test('a watch that is closed asks nobody any more', async () => {
  const scope = freshScope();
  const job = await accept(ledger, scope, 'a');
  const { signal } = watch.watch(scope.tenant, job.id);
  watch.close();
  await cancel(scope.tenant, job.id);
  await jest.advanceTimersByTimeAsync(5000);
  expect(signal.aborted).toBe(false);
});
