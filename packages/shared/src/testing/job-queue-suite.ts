import { describe, expect, test } from '@jest/globals';
import { newJobId } from '../ingest/new-id.ts';
import type { JobQueue, QueuedJob } from '../ports/job-queue.ts';

/** A step of a job of its own unless `jobId` names one. */
export function parseJobFor(
  jobId: string = newJobId(),
  changes: Partial<QueuedJob> = {},
): QueuedJob & { name: 'parse' } {
  const payload = {
    schemaVersion: 1,
    tenant: 't',
    namespace: 'n',
    documentId: 'd',
    version: 1,
    jobId,
    run: 0,
  } as const;
  return { name: 'parse', payload, ...changes } as QueuedJob & { name: 'parse' };
}

/** What every queue does, whatever it is made of. `create` gives an empty one; the caller closes it. */
export function jobQueueSuite(name: string, create: () => JobQueue): void {
  const countsOf = async (queue: JobQueue, tier: string) => {
    const counts = (await queue.counts()).find((count) => count.tier === tier);
    return counts && { waiting: counts.waiting, delayed: counts.delayed };
  };

  describe(name, () => {
    test('jobs are counted in the tier that they belong to', async () => {
      const queue = create();
      await queue.add([
        parseJobFor(),
        { ...parseJobFor(), name: 'embed' },
        { name: 'reconcile', payload: { schemaVersion: 1, reason: 'test' } },
        { ...parseJobFor(), delayMs: 60_000 },
      ]);
      await queue.add([]);
      expect(await countsOf(queue, 'parse')).toEqual({ waiting: 1, delayed: 1 });
      expect(await countsOf(queue, 'embed')).toEqual({ waiting: 1, delayed: 0 });
      expect(await countsOf(queue, 'maintenance')).toEqual({ waiting: 1, delayed: 0 });
      expect(await countsOf(queue, 'ocr')).toEqual({ waiting: 0, delayed: 0 });
    });

    test('adding the same step twice is adding it once, adding another run of it is not', async () => {
      const queue = create();
      const job = parseJobFor();
      await Promise.all([queue.add([job, job]), queue.add([job])]);
      await queue.add([{ ...job, payload: { ...job.payload, run: 1 } }]);
      expect(await countsOf(queue, 'parse')).toEqual({ waiting: 2, delayed: 0 });
    });

    test('the age of a tier is that of its oldest waiting job, whatever its priority', async () => {
      const queue = create();
      const before = Date.now();
      const age = async () => (await queue.counts()).find((count) => count.tier === 'ocr')?.oldestWaitSeconds ?? -1;
      expect(await age()).toBe(0);
      await queue.add([{ ...parseJobFor(), name: 'ocr', priority: 'low' }]);
      while (Date.now() < before + 60) await new Promise((resolve) => setTimeout(resolve, 10));
      const added = Date.now();
      await queue.add([
        { ...parseJobFor(), name: 'ocr', priority: 'high' },
        { ...parseJobFor(), name: 'ocr' },
      ]);
      // Older than anything that was added after the wait can be.
      expect(await age()).toBeGreaterThan((Date.now() - added) / 1000);
      expect(await age()).toBeLessThanOrEqual((Date.now() - before) / 1000);
    });
  });
}
