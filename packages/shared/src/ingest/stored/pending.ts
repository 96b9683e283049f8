import { Manifest } from '../../contracts/model/manifest.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { readJson } from './artifacts.ts';
import { manifestKey, pendingKey, type VersionRef } from './blob-keys.ts';

/*
 * A version that has not ended has its manifest under a second key, so that whoever looks for what is open need not
 * walk everything. A file system gives a second name to the same file, which is cheaper than another file, and much
 * cheaper to take away: ext4 steps over every file that was deleted within the last minutes when it makes a new one.
 */

/** Marks a version as open, once its manifest is written. */
export const markPending = (blobs: BlobStore, version: VersionRef & { readonly jobId: string }) =>
  blobs.copy(manifestKey(version), pendingKey(version.jobId));

export const readPending = (blobs: BlobStore, key: string) => readJson(blobs, key, Manifest);

export const removePending = (blobs: BlobStore, jobId: string) => blobs.remove(pendingKey(jobId));
