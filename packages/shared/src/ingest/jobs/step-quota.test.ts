import { expect, test } from '@jest/globals';
import { MemoryError } from '../../contracts/errors.ts';
import type { Quotas } from '../../ports/quotas.ts';
import { takeForStep } from './step-quota.ts';

const refusing = (error: Error): Quotas => ({ take: () => Promise.reject(error), count: async () => {} });
const take = (error: Error) => takeForStep({ quotas: refusing(error) }, 'acme', { tokens: 10 });
const usedUp = (afterMs: number, hint?: string) =>
  new MemoryError('rate_limited', 'The quota of tokens is used up.', {
    retry: { kind: 'wait', afterMs },
    details: { kind: 'tokens' },
    ...(hint ? { hint } : {}),
  });

test('a step waits for a quota, and looks again within a minute, however long it takes to be back', async () => {
  await expect(take(usedUp(7_200_000))).rejects.toMatchObject({
    code: 'rate_limited',
    hint: undefined,
    details: { kind: 'tokens' },
    retry: { kind: 'wait', afterMs: 60_000 },
  });
  await expect(take(usedUp(500, 'Ask for more.'))).rejects.toMatchObject({
    hint: 'Ask for more.',
    retry: { kind: 'wait', afterMs: 500 },
  });
});

test.each([
  new MemoryError('dependency_unavailable', 'The quotas are away.'),
  new MemoryError('rate_limited', 'More than there will ever be.'),
  new Error('a fault of ours'),
])('any other fault of the quotas is told as it is: %s', async (error) => {
  await expect(take(error)).rejects.toBe(error);
});

test('where no tenant is limited nothing is asked', async () => {
  await takeForStep({}, 'acme', { tokens: 10 });
});
