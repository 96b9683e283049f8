import type { JobQueue } from '@semantic-memory/shared/ports/job-queue';
import type { Logger } from '@semantic-memory/shared/ports/logger';

/**
 * Asks for a reconcile now and every `everyMs`. The queue keeps one at a time, however many processes ask.
 * @returns stops asking
 */
export function startReconciling(deps: { queue: JobQueue; logger: Logger }, everyMs = 60_000): () => void {
  const ask = (reason: string) => {
    deps.queue.add([{ name: 'reconcile', payload: { schemaVersion: 1, reason } }]).catch((error: unknown) => {
      deps.logger.warn('queue away; reconciling later', { error });
    });
  };
  ask('startup');
  const timer = setInterval(() => ask('periodic'), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
