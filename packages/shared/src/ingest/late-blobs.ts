import type { StepPayload } from '../contracts/jobs.ts';
import type { StepDeps } from './deps.ts';
import { isDeleted } from './stored/tombstone.ts';
import { removeVersionBlobs } from './versions/expire.ts';

/**
 * Removes what a step has written into the blob store after its document was deleted: a process that was frozen just before
 * a write wakes after the delete has looked, and the delete's sweep comes minutes later. A version that the ledger knows
 * keeps its blobs: a delete that never reached the ledger may be void.
 */
export async function removeLateBlobs(deps: StepDeps, payload: StepPayload): Promise<void> {
  const { tenant, documentId, version } = payload;
  if (!(await isDeleted(deps.blobs, payload))) return;
  const document = await deps.ledger.getDocument(tenant, documentId);
  if (document?.versions.some((known) => known.version === version)) return;
  await removeVersionBlobs(deps, payload);
}
