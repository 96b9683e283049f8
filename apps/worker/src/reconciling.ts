import type { JobQueue, QueuedJob } from '@semantic-memory/shared/ports/job-queue';
import type { Logger } from '@semantic-memory/shared/ports/logger';

/**
 * Asks for a reconcile, and to forget what has expired, now and every `everyMs`. The queue keeps one at a time, however many processes ask.
 * @returns stops asking
 */
export function startReconciling(deps: { queue: JobQueue; logger: Logger }, everyMs = 60_000): () => void {
  const ask = (reason: string) => {
    const jobs: QueuedJob[] = [
      { name: 'reconcile', payload: { schemaVersion: 1, reason } },
      { name: 'expire', payload: { schemaVersion: 1 } },
    ];
    deps.queue.add(jobs).catch((error: unknown) => {
      deps.logger.warn('queue away; reconciling later', { error });
    });
  };
  ask('startup');
  const timer = setInterval(() => ask('periodic'), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
