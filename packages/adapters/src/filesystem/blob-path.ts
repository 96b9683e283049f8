import { join } from 'node:path';
import { assertBlobKey, assertBlobPrefix, ownKeys } from '@semantic-memory/shared/ports/blob-key';

/** Where files are written before they get their name. Lies in the same file system, so that a rename is atomic. */
export const temporaryFolder = ownKeys;

/** The file of a key. @throws MemoryError `internal` where the key is malformed */
export function blobPath(root: string, key: string): string {
  assertBlobKey(key);
  return join(root, ...key.split('/'));
}

/** The folder of a prefix; the empty one is the whole store. @throws MemoryError `internal` where it is malformed */
export function prefixPath(root: string, prefix: string): string {
  assertBlobPrefix(prefix);
  return prefix === '' ? root : blobPath(root, prefix.slice(0, -1));
}
