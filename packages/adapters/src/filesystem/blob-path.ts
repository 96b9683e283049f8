import { join } from 'node:path';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';

/** Where files are written before they get their name. Lies in the same file system, so that a rename is atomic. */
export const temporaryFolder = '.tmp';

/** What ext4, XFS, APFS and NTFS take for one name. */
const maxSegmentBytes = 255;
/** What S3 takes for a key, so that every store takes the same keys. */
const maxKeyBytes = 1024;

/** Control characters (NUL ends a path for the system calls) and the backslash, which is a separator elsewhere. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const forbidden = /[\u0000-\u001f\u007f\\]/;

/**
 * The file of a key. Keys are made by our own code from hashes, so a bad one is a fault of ours.
 * @throws MemoryError `internal` where the key could leave the folder or cannot be a path
 */
export function blobPath(root: string, key: string): string {
  const segments = key.split('/');
  const bad =
    Buffer.byteLength(key) > maxKeyBytes ||
    forbidden.test(key) ||
    segments[0] === temporaryFolder ||
    segments.some((segment) => ['', '.', '..'].includes(segment) || Buffer.byteLength(segment) > maxSegmentBytes);
  if (bad) {
    throw new MemoryError('internal', 'A blob key is malformed.', { retry: { kind: 'never' }, details: { key } });
  }
  return join(root, ...segments);
}

/**
 * The folder of a prefix, which ends with a slash; the empty prefix is the whole store.
 * @throws MemoryError `internal` as `blobPath`
 */
export function prefixPath(root: string, prefix: string): string {
  if (prefix === '') return root;
  if (!prefix.endsWith('/')) {
    throw new MemoryError('internal', 'A blob prefix must end with a slash.', { retry: { kind: 'never' } });
  }
  return blobPath(root, prefix.slice(0, -1));
}
