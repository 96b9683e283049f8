import { MemoryError } from '../contracts/errors.ts';
import { isTerminal, type JobWarning } from '../contracts/model/job.ts';
import { endJob } from './finish.ts';
import { listed } from './jobs/listed-warnings.ts';
import type { Step } from './step.ts';
import { removeArchive } from './transfer/import-step.ts';

/** How often the documents are looked at, and how long is waited for each of them: a look takes longer the more there are. */
const lookAgainMs = 1000;
const perDocumentMs = 1;
const listedFailures = 50;

/**
 * Ends the job of a source that is many documents, once each of them has ended. Until then it asks to be woken again.
 */
export const settleStep: Step = async (deps, context) => {
  const { tenant, jobId } = context.payload;
  const children = await deps.ledger.getJobs(tenant, await deps.ledger.children(tenant, jobId));
  const open = children.filter((child) => !isTerminal(child.state)).length;
  await context.progress(children.length - open, children.length);
  if (open > 0) {
    throw new MemoryError('dependency_unavailable', `${open} of ${children.length} documents are still on their way.`, {
      retry: { kind: 'wait', afterMs: Math.max(lookAgainMs, children.length * perDocumentMs), steady: true },
    });
  }
  const bad = children.filter((child) => child.state !== 'succeeded');
  const failures = bad.map(
    (child): JobWarning => ({
      code: child.error?.code ?? child.state,
      message: `${child.documentId} ended ${child.state}${child.error ? `: ${child.error.message}` : ''}`,
    }),
  );
  const warnings = listed(failures, listedFailures, (count) => `${count} more did not succeed.`);
  const isImport = context.manifest.source.type === 'import';
  const found = children.some((child) => child.state === 'succeeded' || child.state === 'partial');
  const { job } = context;
  // What is retried from here on are the documents, one by one.
  if (isImport) await removeArchive(deps, context.manifest);
  // A namespace may have been empty when it was exported.
  if (found || (isImport && children.length === 0))
    await endJob(deps, context.payload, bad.length > 0 ? 'partial' : 'succeeded', { warnings, job }, context.updateJob);
  else {
    const what = isImport ? 'document of the archive' : 'file of the source';
    const error = { code: 'fetch_failed', message: `No ${what} could be ingested.` } as const;
    await endJob(deps, context.payload, 'failed', { error, warnings, job }, context.updateJob);
  }
  return { ended: true };
};
