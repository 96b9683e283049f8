import { MemoryError } from '../contracts/errors.ts';

/** Begins keys that a blob store keeps for itself: no blob has one, and no list shows one. */
export const ownKeys = '.tmp';

/** What ext4, XFS, APFS and NTFS take for one name, so that every store takes the same keys. */
const maxSegmentBytes = 255;
/** What S3 takes for a key, less what an installation may put before it. */
const maxKeyBytes = 900;

/** Control characters (NUL ends a path for the system calls) and the backslash, which is a separator elsewhere. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const forbidden = /[\u0000-\u001f\u007f\\]/;

/**
 * Keys are made by our own code from hashes, so a bad one is a fault of ours.
 * @throws MemoryError `internal` where the key could leave the store or cannot be a path
 */
export function assertBlobKey(key: string): void {
  const segments = key.split('/');
  const bad =
    Buffer.byteLength(key) > maxKeyBytes ||
    forbidden.test(key) ||
    segments[0] === ownKeys ||
    segments.some((segment) => ['', '.', '..'].includes(segment) || Buffer.byteLength(segment) > maxSegmentBytes);
  if (bad) {
    throw new MemoryError('internal', 'A blob key is malformed.', { retry: { kind: 'never' }, details: { key } });
  }
}

/**
 * A prefix ends with a slash; the empty one stands for the whole store.
 * @throws MemoryError `internal` as `assertBlobKey`
 */
export function assertBlobPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/')) {
    throw new MemoryError('internal', 'A blob prefix must end with a slash.', { retry: { kind: 'never' } });
  }
  assertBlobKey(prefix.slice(0, -1));
}
