import { afterEach, expect, jest, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { keepLedgerWhole } from './keep-whole.ts';

let stop = () => {};
afterEach(() => {
  stop();
  jest.useRealTimers();
});

/** A flow whose ledger is looked after, with a clock that the test moves. */
async function kept(options?: { everyMs?: number }) {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await flow.drain();
  jest.useFakeTimers();
  const warnings: unknown[] = [];
  const logger = { ...flow.deps.logger, warn: (_message: string, fields?: object) => void warnings.push(fields) };
  let rebuilt = 0;
  const onRebuilt = () => {
    rebuilt += 1;
  };
  const deps = { ...flow.deps, logger, recovery: flow.ledger };
  stop = options ? keepLedgerWhole(deps, { ...options, onRebuilt }) : keepLedgerWhole(deps);
  await jest.advanceTimersByTimeAsync(0);
  return { flow, warnings, rebuilt: () => rebuilt };
}

const document = (flow: InMemoryFlow) => flow.ledger.getDocument('acme', 'notes');

test('a ledger that was emptied is rebuilt at the next look, once, and is as compared as a fresh one', async () => {
  const { flow, rebuilt } = await kept({ everyMs: 100 });
  expect(rebuilt()).toBe(0);
  flow.ledger.wipe();
  await expect(document(flow)).rejects.toMatchObject({ code: 'rebuilding' });
  await jest.advanceTimersByTimeAsync(100);
  expect(await document(flow)).toMatchObject({ activeVersion: 1 });
  expect(await flow.ledger.isCompared()).toBe(true);
  await jest.advanceTimersByTimeAsync(1000);
  expect(rebuilt()).toBe(1);
});

test('without settings it looks every second', async () => {
  const { flow } = await kept();
  flow.ledger.wipe();
  await jest.advanceTimersByTimeAsync(900);
  expect(await flow.ledger.isWhole()).toBe(false);
  await jest.advanceTimersByTimeAsync(100);
  expect(await flow.ledger.isWhole()).toBe(true);
});

test('where another process rebuilds it, this one only waits', async () => {
  const { flow, rebuilt } = await kept({ everyMs: 100 });
  flow.ledger.wipe();
  onNext(flow.ledger, 'rebuildOnce', async () => false);
  await jest.advanceTimersByTimeAsync(100);
  expect(rebuilt()).toBe(0);
  await jest.advanceTimersByTimeAsync(100);
  expect(rebuilt()).toBe(1);
});

test('a blob store that is away is said to be, and the ledger is rebuilt once it is back', async () => {
  const { flow, warnings } = await kept({ everyMs: 100 });
  flow.ledger.wipe();
  flow.blobs.unavailable = true;
  await jest.advanceTimersByTimeAsync(100);
  expect(warnings).toMatchObject([{ error: { code: 'dependency_unavailable' } }]);
  expect(await flow.ledger.isWhole()).toBe(false);
  flow.blobs.unavailable = false;
  await jest.advanceTimersByTimeAsync(100);
  expect(await flow.ledger.isWhole()).toBe(true);
});

test('a look that takes long is not begun a second time, and one that is stopped says nothing of it', async () => {
  const { flow, warnings } = await kept({ everyMs: 100 });
  let looks = 0;
  let fail: (error: Error) => void = () => {};
  flow.ledger.isWhole = () => {
    looks += 1;
    return new Promise((_resolve, reject) => {
      fail = reject;
    });
  };
  await jest.advanceTimersByTimeAsync(1000);
  expect(looks).toBe(1);
  stop();
  fail(new MemoryError('dependency_unavailable', 'The process ends.'));
  await jest.advanceTimersByTimeAsync(1000);
  expect(looks).toBe(1);
  expect(warnings).toEqual([]);
});
