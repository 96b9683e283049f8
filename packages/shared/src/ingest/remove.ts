import { MemoryError } from '../contracts/errors.ts';
import type { DeleteReceipt } from '../contracts/model/document.ts';
import { replacedAtMs } from '../ports/document-transitions.ts';
import type { DocumentRecord } from '../ports/ledger.ts';
import type { CollectionKey, VectorIndex } from '../ports/vector-index.ts';
import { encodeJson } from './artifacts.ts';
import { documentPrefix, replacedKey, tombstoneKey, versionOfKey } from './blob-keys.ts';
import type { IngestDeps } from './deps.ts';
import { removeVersionBlobs } from './expire.ts';
import { endJob } from './finish.ts';
import { newUploadId } from './new-id.ts';
import { collectionsOf } from './retire.ts';
import type { Tombstone } from './tombstone.ts';

export interface RemoveDeps extends IngestDeps {
  readonly vectors: VectorIndex;
}

/**
 * A writer that was frozen in mid-step may wake once more after the delete; its lock is over by then, its write to the
 * index is not. Longer than the queue's lock and stall check together.
 */
const sweepAfterMs = 90_000;

/**
 * Deletes a document everywhere, history included, counts what went, and looks again before it says so. From the first
 * step on no search returns it. A version that is accepted meanwhile is a new document's and stays.
 * @throws MemoryError `not_found`
 */
export async function removeDocument(deps: RemoveDeps, tenant: string, documentId: string): Promise<DeleteReceipt> {
  const known = await deps.ledger.getDocument(tenant, documentId);
  if (!known) throw new MemoryError('not_found', `There is no document ${documentId}.`);
  const deletedAt = new Date(deps.clock.now()).toISOString();
  const bury = (upToVersion: number) => {
    const tombstone: Tombstone = { schemaVersion: 1, documentId, upToVersion, at: deletedAt };
    return deps.blobs.put(tombstoneKey(tenant, documentId), encodeJson(tombstone));
  };
  await bury(known.latestVersion);
  const removed = await deps.ledger.removeDocument(tenant, documentId);
  if (!removed) throw new MemoryError('not_found', `There is no document ${documentId}.`);
  const { document, openJobIds } = removed;
  // A version that came in between went with the others.
  const upToVersion = document.latestVersion;
  if (upToVersion > known.latestVersion) await bury(upToVersion);
  for (const job of await deps.ledger.getJobs(tenant, openJobIds)) {
    await endJob(deps, { ...job, jobId: job.id }, 'cancelled', {
      error: { code: 'cancelled', message: 'The document was deleted.' },
    });
  }
  const keys = await collectionsOf(deps, document);
  const historyKeys = await collectionsOf(deps, document, { history: true });
  let chunks = 0;
  for (const key of keys) chunks += await deps.vectors.removeDocument(key, documentId, { upToVersion });
  for (const key of historyKeys) await deps.vectors.removeDocument(key, documentId, { upToVersion });
  const blobs = await removeBlobs(deps, document, upToVersion);
  await removeReplacedMarkers(deps, document);
  await assertAbsent(deps, document, [...keys, ...historyKeys]);
  await deps.queue.add([
    {
      name: 'sweep',
      delayMs: sweepAfterMs,
      payload: {
        schemaVersion: 1,
        tenant,
        namespace: document.namespace,
        documentId,
        upToVersion,
        sweepId: newUploadId(),
      },
    },
  ]);
  return {
    documentId,
    removed: { chunks, postings: 0, cacheEntries: 0, blobs },
    verifiedAbsent: true,
    deletedAt,
  };
}

/** Removes the blobs of all versions up to one, known to the ledger or not, and says how many there were. */
async function removeBlobs(
  deps: RemoveDeps,
  { tenant, documentId }: Pick<DocumentRecord, 'tenant' | 'documentId'>,
  upToVersion: number,
): Promise<number> {
  let removed = 0;
  for (const version of await storedVersions(deps, tenant, documentId)) {
    if (version <= upToVersion) removed += await removeVersionBlobs(deps, { tenant, documentId, version });
  }
  return removed;
}

/** Their retention is over at once. */
async function removeReplacedMarkers(deps: RemoveDeps, document: DocumentRecord): Promise<void> {
  const { tenant, documentId } = document;
  for (const { version } of document.versions) {
    const atMs = replacedAtMs(document, version);
    if (atMs !== undefined) await deps.blobs.remove(replacedKey({ tenant, documentId, version }, atMs));
  }
}

async function storedVersions(deps: RemoveDeps, tenant: string, documentId: string): Promise<Set<number>> {
  const versions = new Set<number>();
  for await (const key of deps.blobs.list(documentPrefix(tenant, documentId))) versions.add(versionOfKey(key));
  return versions;
}

/** @throws MemoryError `internal` where anything is still there: the delete is not answered as done then */
async function assertAbsent(deps: RemoveDeps, document: DocumentRecord, keys: readonly CollectionKey[]): Promise<void> {
  const { tenant, documentId, latestVersion: upToVersion } = document;
  for (const key of keys) {
    const left = await deps.vectors.countDocument(key, documentId, { upToVersion });
    if (left > 0) throw new MemoryError('internal', `${left} chunks of ${documentId} are still in the index.`);
  }
  for (const version of await storedVersions(deps, tenant, documentId)) {
    if (version <= upToVersion) throw new MemoryError('internal', `${documentId} still has blobs of v${version}.`);
  }
}

/**
 * Looks once more after a delete, when no writer from before it can be alive: removes what such a one has written.
 * A document that was ingested again under the id meanwhile keeps its own versions.
 */
export async function sweepDocument(
  deps: RemoveDeps,
  deleted: { tenant: string; namespace: string; documentId: string; upToVersion: number },
): Promise<void> {
  const { tenant, documentId, upToVersion } = deleted;
  let swept = 0;
  for (const history of [false, true]) {
    for (const key of await collectionsOf(deps, deleted, { history }))
      swept += await deps.vectors.removeDocument(key, documentId, { upToVersion });
  }
  if (swept > 0) deps.metrics.indexDrift('written_after_delete', swept);
  await removeBlobs(deps, { tenant, documentId }, upToVersion);
}
