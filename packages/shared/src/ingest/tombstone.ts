import { z } from 'zod';
import { DocumentId, Timestamp } from '../contracts/model/ids.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { readJson } from './artifacts.ts';
import { tombstoneKey } from './blob-keys.ts';

/** That a document was deleted, durably: versions up to this one never come back. */
export const Tombstone = z.object({
  schemaVersion: z.literal(1),
  documentId: DocumentId,
  upToVersion: z.int().min(0),
  at: Timestamp,
});
export type Tombstone = z.infer<typeof Tombstone>;

/** Whether a version was deleted with its document. */
export async function isDeleted(
  blobs: BlobStore,
  { tenant, documentId, version }: { readonly tenant: string; readonly documentId: string; readonly version: number },
): Promise<boolean> {
  const tombstone = await readJson(blobs, tombstoneKey(tenant, documentId), Tombstone);
  return tombstone !== undefined && tombstone.upToVersion >= version;
}
