import { expect, test } from '@jest/globals';
import { inSpan } from './tracing.ts';

test('the work gets a span, its result comes through and so does its error', async () => {
  expect(await inSpan('work', { tier: 'parse' }, async (span) => typeof span.end)).toBe('function');
  const failure = new Error('no');
  await expect(inSpan('work', {}, () => Promise.reject(failure))).rejects.toBe(failure);
});
