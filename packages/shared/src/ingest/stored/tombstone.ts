import { z } from 'zod';
import { DocumentId, Tenant, Timestamp } from '../../contracts/model/ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { encodeJson, readJson } from './artifacts.ts';
import { tombstoneKey } from './blob-keys.ts';
import { StoredJob } from './stored-job.ts';

export const Tombstone = z
  .object({
    schemaVersion: z.literal(1),
    tenant: Tenant,
    documentId: DocumentId,
    upToVersion: z.int().min(0),
    at: Timestamp,
    jobs: z
      .array(StoredJob.extend({ deletedAt: Timestamp.optional().describe('When; absent where it is `at`.') }))
      .describe('The jobs of the versions that were deleted: what became of them can still be asked.'),
  })
  .describe('That a document was deleted, durably: versions up to this one never come back.');
export type Tombstone = z.infer<typeof Tombstone>;

/** Of a document that is deleted and comes again without end, the jobs of so many versions are kept. */
const maxJobs = 200;

export const readTombstone = (blobs: BlobStore, tenant: string, documentId: string) =>
  readJson(blobs, tombstoneKey(tenant, documentId), Tombstone);

/** Writes the tombstone of a document, with what the one before it (an earlier document's) tells. */
export async function writeTombstone(
  blobs: BlobStore,
  deleted: Omit<Tombstone, 'schemaVersion' | 'jobs'> & { readonly jobs: readonly JobRecord[] },
): Promise<void> {
  const before = await readTombstone(blobs, deleted.tenant, deleted.documentId);
  const jobs = new Map<string, Tombstone['jobs'][number]>();
  if (before) for (const job of before.jobs) jobs.set(job.id, { deletedAt: before.at, ...job });
  for (const job of deleted.jobs) jobs.set(job.id, { ...job, deletedAt: jobs.get(job.id)?.deletedAt ?? deleted.at });
  const tombstone: Tombstone = {
    schemaVersion: 1,
    ...deleted,
    upToVersion: Math.max(deleted.upToVersion, before?.upToVersion ?? 0),
    jobs: [...jobs.values()].sort((a, b) => b.version - a.version).slice(0, maxJobs),
  };
  await blobs.put(tombstoneKey(deleted.tenant, deleted.documentId), encodeJson(tombstone));
}

/** Whether a version was deleted with its document. */
export async function isDeleted(
  blobs: BlobStore,
  { tenant, documentId, version }: { readonly tenant: string; readonly documentId: string; readonly version: number },
): Promise<boolean> {
  const tombstone = await readTombstone(blobs, tenant, documentId);
  return tombstone !== undefined && tombstone.upToVersion >= version;
}
