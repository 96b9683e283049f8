import { MemoryError } from '../contracts/errors.ts';
import type { AllowedBucket } from '../ports/fetcher.ts';

/** A source of type s3. */
export interface BucketSource {
  readonly bucket: string;
  readonly key?: string | undefined;
  readonly prefix?: string | undefined;
}

/**
 * Whether the operator lets a tenant read this object, or all objects whose keys begin so. Nobody is asked whether there
 * is such a bucket: the answer is the same.
 * @throws MemoryError `fetch_forbidden`
 */
export function assertAllowed(
  allowed: readonly AllowedBucket[],
  tenant: string,
  { bucket, key, prefix }: BucketSource,
): void {
  const wanted = key ?? prefix ?? '';
  const isAllowed = allowed.some(
    (rule) =>
      (rule.tenant === '*' || rule.tenant === tenant) && rule.bucket === bucket && wanted.startsWith(rule.prefix),
  );
  if (isAllowed) return;
  throw new MemoryError('fetch_forbidden', 'This tenant may read nothing there: not that bucket, or not that part.', {
    hint: 'An operator allows buckets, or folders of them, by SOURCE_S3_BUCKETS. Or send the object as a file.',
  });
}
