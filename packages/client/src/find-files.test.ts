import { expect, test } from '@jest/globals';
import { documentIdOf } from './find-files.ts';
import { inParallel } from './in-parallel.ts';

test('a path becomes an id that the service accepts, the same for the same path', () => {
  expect(documentIdOf('reports/Résumé 2026.pdf')).toBe('reports-R-sum-2026.pdf');
  expect(documentIdOf('x'.repeat(300))).toHaveLength(200);
  expect(documentIdOf('')).toBe('document');
});

test('work runs at most so many at a time and gives results in order', async () => {
  let running = 0;
  let most = 0;
  const results = await inParallel([3, 1, 2, 0], 2, async (ms) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, ms));
    running -= 1;
    return ms * 10;
  });
  expect(results).toEqual([30, 10, 20, 0]);
  expect(most).toBe(2);
});

test('after an error nothing else is begun', async () => {
  const begun: number[] = [];
  const work = inParallel([1, 2, 3, 4], 1, async (item) => {
    begun.push(item);
    if (item === 2) throw new Error('two');
  });
  await expect(work).rejects.toThrow('two');
  expect(begun).toEqual([1, 2]);
});
