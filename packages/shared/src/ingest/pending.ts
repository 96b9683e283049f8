import { z } from 'zod';
import { DocumentId, JobId, Namespace, Tenant, Timestamp, Version } from '../contracts/model/ids.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { encodeJson, readJson } from './artifacts.ts';
import { pendingKey } from './blob-keys.ts';

/** Names a version that has not ended. Written before its manifest, removed after its outcome. */
export const PendingMarker = z.object({
  schemaVersion: z.literal(1),
  tenant: Tenant,
  namespace: Namespace,
  documentId: DocumentId,
  version: Version,
  jobId: JobId,
  at: Timestamp,
});
export type PendingMarker = z.infer<typeof PendingMarker>;

export const writePending = (blobs: BlobStore, marker: PendingMarker) =>
  blobs.put(pendingKey(marker.jobId), encodeJson(marker));

export const readPending = (blobs: BlobStore, key: string) => readJson(blobs, key, PendingMarker);

export const removePending = (blobs: BlobStore, jobId: string) => blobs.remove(pendingKey(jobId));
