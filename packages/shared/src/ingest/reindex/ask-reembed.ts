import { MemoryError } from '../../contracts/errors.ts';
import type { ReembedPayload } from '../../contracts/jobs.ts';
import type { JobQueue } from '../../ports/job-queue.ts';

/** How often a step looks whether its version is embedded by now. */
const lookAgainMs = 1000;

/**
 * Has a version embedded by the model that its namespace has now, where it was embedded by one before. Asked for again and
 * again it is done once.
 * @returns what a step that needs it throws: it waits
 */
export async function askReembed(
  { queue }: { readonly queue: Pick<JobQueue, 'add'> },
  { tenant, namespace, documentId, version, jobId }: Omit<ReembedPayload, 'schemaVersion'>,
  model: string,
): Promise<MemoryError> {
  await queue.add([{ name: 'reembed', payload: { schemaVersion: 1, tenant, namespace, documentId, version, jobId } }]);
  return new MemoryError(
    'dependency_unavailable',
    `The text is being embedded by ${model}, the namespace's new model.`,
    {
      retry: { kind: 'wait', afterMs: lookAgainMs, steady: true },
    },
  );
}
