import type { JobQueue } from '../../ports/job-queue.ts';
import type { Logger } from '../../ports/logger.ts';

/** Asks for a reconcile. The queue keeps one at a time for each reason, however many processes ask. */
export function askReconcile(queue: JobQueue, logger: Logger, reason: string): void {
  queue.add([{ name: 'reconcile', payload: { schemaVersion: 1, reason } }]).catch((error: unknown) => {
    // It is asked for again, at the latest by the clock.
    logger.warn('queue away; reconciling later', { reason, error });
  });
}
