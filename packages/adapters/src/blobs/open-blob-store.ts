import type { BlobStore } from '@semantic-memory/shared/ports/blob-store';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { createFilesystemBlobStore } from '../filesystem/blob-store.ts';
import type { S3Settings } from '../s3/bucket.ts';

export interface OpenedBlobStore {
  readonly blobs: BlobStore;
  close(): Promise<void>;
}

/**
 * The blob store that is configured: a bucket where `s3` is set, else a folder. The SDK is loaded where it is needed
 * only.
 */
export async function openBlobStore(config: {
  readonly blobDir: string;
  readonly s3: S3Settings | undefined;
  readonly logger: Logger;
}): Promise<OpenedBlobStore> {
  if (!config.s3) return { blobs: createFilesystemBlobStore(config.blobDir), close: async () => {} };
  const { createS3BlobStore } = await import('../s3/blob-store.ts');
  const blobs = createS3BlobStore(config.s3, { logger: config.logger });
  return { blobs, close: () => blobs.close() };
}
