import { z } from 'zod';
import { MemoryError } from '../contracts/errors.ts';
import type { DeleteReceipt } from '../contracts/model/document.ts';
import { DocumentId, Timestamp } from '../contracts/model/ids.ts';
import { Manifest } from '../contracts/model/manifest.ts';
import type { DocumentRecord } from '../ports/ledger.ts';
import type { CollectionKey, VectorIndex } from '../ports/vector-index.ts';
import { encodeJson, readFetched, readJson } from './artifacts.ts';
import { documentPrefix, manifestKey, tombstoneKey, versionPrefix } from './blob-keys.ts';
import type { IngestDeps } from './deps.ts';
import { endJob } from './finish.ts';
import { newUploadId } from './new-id.ts';

export interface RemoveDeps extends IngestDeps {
  readonly vectors: VectorIndex;
}

/** That a document was deleted, durably: versions up to this one never come back. */
export const Tombstone = z.object({
  schemaVersion: z.literal(1),
  documentId: DocumentId,
  upToVersion: z.int().min(0),
  at: Timestamp,
});
export type Tombstone = z.infer<typeof Tombstone>;

/**
 * A writer that was frozen in mid-step may wake once more after the delete; its lock is over by then, its write to the
 * index is not. Longer than the queue's lock and stall check together.
 */
const sweepAfterMs = 90_000;

/**
 * Deletes a document everywhere, counts what went, and looks again before it says so. From the first step on no search
 * returns it.
 * @throws MemoryError `not_found`
 */
export async function removeDocument(deps: RemoveDeps, tenant: string, documentId: string): Promise<DeleteReceipt> {
  const known = await deps.ledger.getDocument(tenant, documentId);
  if (!known) throw new MemoryError('not_found', `There is no document ${documentId}.`);
  const deletedAt = new Date(deps.clock.now()).toISOString();
  const tombstone: Tombstone = { schemaVersion: 1, documentId, upToVersion: known.latestVersion, at: deletedAt };
  await deps.blobs.put(tombstoneKey(tenant, documentId), encodeJson(tombstone));
  const removed = await deps.ledger.removeDocument(tenant, documentId);
  if (!removed) throw new MemoryError('not_found', `There is no document ${documentId}.`);
  const { document, openJobIds } = removed;
  for (const job of await deps.ledger.getJobs(tenant, openJobIds)) {
    await endJob(deps, { ...job, jobId: job.id }, 'cancelled', {
      error: { code: 'cancelled', message: 'The document was deleted.' },
    });
  }
  const keys = await collectionsOf(deps, document);
  let chunks = 0;
  for (const key of keys) chunks += await deps.vectors.removeDocument(key, documentId);
  const blobs = await removeBlobs(deps, document);
  await assertAbsent(deps, document, keys);
  await deps.queue.add([
    {
      name: 'sweep',
      delayMs: sweepAfterMs,
      payload: {
        schemaVersion: 1,
        tenant,
        namespace: document.namespace,
        documentId,
        upToVersion: document.latestVersion,
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

/** Where a document's chunks may lie: the collections of its namespace. */
async function collectionsOf(deps: RemoveDeps, document: DocumentRecord): Promise<CollectionKey[]> {
  const namespaces = await deps.ledger.namespaces(document.tenant);
  return namespaces
    .filter(({ namespace }) => namespace === document.namespace)
    .map(({ namespace, embeddingModel }) => ({ tenant: document.tenant, namespace, model: embeddingModel }));
}

async function removeBlobs(deps: RemoveDeps, document: DocumentRecord): Promise<number> {
  const { tenant, documentId } = document;
  let removed = 0;
  for (const { version } of document.versions) {
    const ref = { tenant, documentId, version };
    const manifest = await readJson(deps.blobs, manifestKey(ref), Manifest);
    const original = manifest?.original ?? (await readFetched(deps.blobs, ref));
    if (!original || !(await deps.blobs.has(original.key))) continue;
    await deps.blobs.remove(original.key);
    removed += 1;
  }
  return removed + (await deps.blobs.removePrefix(documentPrefix(tenant, documentId)));
}

/** @throws MemoryError `internal` where anything is still there: the delete is not answered as done then */
async function assertAbsent(deps: RemoveDeps, document: DocumentRecord, keys: readonly CollectionKey[]): Promise<void> {
  const { tenant, documentId } = document;
  for (const key of keys) {
    const left = await deps.vectors.countDocument(key, documentId);
    if (left > 0) throw new MemoryError('internal', `${left} chunks of ${documentId} are still in the index.`);
  }
  for await (const key of deps.blobs.list(documentPrefix(tenant, documentId))) {
    throw new MemoryError('internal', `${documentId} still has the blob ${key}.`);
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
  const { tenant, namespace, documentId, upToVersion } = deleted;
  const reborn = await deps.ledger.getDocument(tenant, documentId);
  for (const { namespace: name, embeddingModel } of await deps.ledger.namespaces(tenant)) {
    if (name !== namespace) continue;
    const key = { tenant, namespace, model: embeddingModel };
    let swept = 0;
    if (reborn) {
      for (let version = 1; version <= upToVersion; version += 1)
        swept += await deps.vectors.removeDocument(key, documentId, version);
    } else swept = await deps.vectors.removeDocument(key, documentId);
    if (swept > 0) deps.metrics.indexDrift('written_after_delete', swept);
  }
  if (reborn) {
    for (let version = 1; version <= upToVersion; version += 1)
      await deps.blobs.removePrefix(versionPrefix({ tenant, documentId, version }));
  } else await deps.blobs.removePrefix(documentPrefix(tenant, documentId));
}
