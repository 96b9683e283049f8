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
  expect(queueActionFor(away, () => 0)).toMatchObject({ kind: 'wait', afterMs: 1000 });
  expect(queueActionFor(away, () => 1)).toMatchObject({ kind: 'wait', afterMs: 1200 });
});
