/**
 * What a bucket may be called: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, with the
 * capitals and underscores of old ones. No colon: the SDK would read the name of another resource out of it.
 */
export const bucketPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;

/** What S3 takes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const maxKeyBytes = 1024;

const encoder = new TextEncoder();

/** Whether a text can be a key, or the beginning of one. */
export const isKeyLike = (text: string): boolean =>
  text.isWellFormed() && encoder.encode(text).byteLength <= maxKeyBytes;

/**
 * Whether a key means the same to everybody: servers and proxies may take parts `.` and `..` for steps between folders,
 * and `a/../../b/c` for the object `c` of the bucket `b`.
 */
export const isPlainKey = (key: string): boolean => !key.split('/').some((part) => part === '.' || part === '..');
