import { expect, test } from '@jest/globals';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { queueActionFor } from './failure.ts';

test('a document at fault ends the step and counts as rejected, a fault of ours as failed', () => {
  expect(queueActionFor(new MemoryError('corrupt_document', ''))).toEqual({ kind: 'fail', outcome: 'rejected' });
  const ours = new MemoryError('internal', '', { retry: { kind: 'never' } });
  expect(queueActionFor(ours)).toEqual({ kind: 'fail', outcome: 'failed' });
});

test('an unknown error is tried again', () => {
  expect(queueActionFor(new TypeError('x'))).toEqual({ kind: 'retry', outcome: 'failed' });
});

test('a dependency that is away makes the step wait for at least as long as the error says, and not much longer', () => {
  const away = new MemoryError('dependency_unavailable', '', { retry: { kind: 'wait', afterMs: 1000 } });
  expect(queueActionFor(away, 0, () => 0)).toMatchObject({ kind: 'wait', afterMs: 1000 });
  expect(queueActionFor(away, 0, () => 1)).toMatchObject({ kind: 'wait', afterMs: 1200 });
});

test('the longer a dependency is away the less often a step looks, but at least every twelve seconds', () => {
  const away = new MemoryError('dependency_unavailable', '');
  const waits = (error: MemoryError) =>
    [0, 1, 2, 3, 4, 5, 1000]
      .map((count) => queueActionFor(error, count, () => 1))
      .map((action) => 'afterMs' in action && action.afterMs);
  expect(waits(away)).toEqual([1200, 2400, 4800, 9600, 12_000, 12_000, 12_000]);
  // A server that names a longer time is heard; a step that only looks whether others are done does not slow down.
  const asked = new MemoryError('dependency_unavailable', '', { retry: { kind: 'wait', afterMs: 60_000 } });
  expect(waits(asked).at(-1)).toBe(72_000);
  const looks = new MemoryError('dependency_unavailable', '', { retry: { kind: 'wait', afterMs: 1000, steady: true } });
  expect(waits(looks).at(-1)).toBe(1200);
});
