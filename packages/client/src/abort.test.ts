import { expect, test } from '@jest/globals';
import { deadline, delay } from './abort.ts';

test('a wait ends with the reason of the abort, whether it comes before or during the wait', async () => {
  const reason = new Error('enough');
  await expect(delay(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  const controller = new AbortController();
  const wait = delay(60_000, controller.signal);
  controller.abort(reason);
  await expect(wait).rejects.toBe(reason);
});

test('a time limit of a caller who has given up already is over from the start', () => {
  const reason = new Error('enough');
  const limit = deadline(60_000, AbortSignal.abort(reason));
  expect(limit.signal.reason).toBe(reason);
  expect(limit.expired).toBe(false);
  limit.stop();
});
