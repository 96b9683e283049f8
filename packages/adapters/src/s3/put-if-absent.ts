import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { ownKeys } from '@semantic-memory/shared/ports/blob-key';
import type { Bucket, S3Timing } from './bucket.ts';
import { isTaken, isUndecided } from './failure.ts';

/** Kept with the object: says which writer's bytes these are, also of two that write the same. */
const writerField = 'writer';

const maxTries = 10;
const waitMs = 20;

/**
 * Writes only where nothing is there. The answer to a write that succeeded may be lost; the SDK tries again, finds the
 * key taken, and would call a write refused that was made. So every write carries a name of its own, and who is refused
 * looks whose bytes are there.
 */
export async function putIfAbsent(bucket: Bucket, key: string, bytes: Uint8Array, timing: S3Timing): Promise<boolean> {
  const writer = randomUUID();
  for (let tries = 1; ; tries += 1) {
    try {
      await putConditionally(bucket, key, bytes, writer, timing);
      return true;
    } catch (error) {
      if (isTaken(error)) {
        const standing = await writerOf(bucket, key, timing);
        if (standing !== undefined) return standing === writer;
        // Deleted in between: free again.
      } else if (!isUndecided(error)) throw error;
      if (tries === maxTries) throw undecided(error);
      await delay(Math.random() * waitMs * tries);
    }
  }
}

/**
 * Asks the server to refuse a write, once for each process: one that knows no conditions takes it instead, and then two
 * writers could each believe that they were first.
 * @throws MemoryError `dependency_unavailable` where it does not refuse
 */
export async function assertConditions(bucket: Bucket, timing: S3Timing): Promise<void> {
  const key = `${ownKeys}/conditional-writes`;
  // The first of all processes may write it; from then on nobody.
  for (let tries = 1; tries <= 2; tries += 1) {
    try {
      await putConditionally(bucket, key, new Uint8Array(), 'probe', timing);
    } catch (error) {
      if (isTaken(error) || isUndecided(error)) return;
      throw error;
    }
  }
  throw new MemoryError('dependency_unavailable', 'The S3 server does not obey conditional writes.', {
    hint: 'Use a server that answers PutObject with "If-None-Match: *" by 412 where the key is taken.',
  });
}

function putConditionally(bucket: Bucket, key: string, bytes: Uint8Array, writer: string, timing: S3Timing) {
  const command = new PutObjectCommand({
    Bucket: bucket.name,
    Key: bucket.keyOf(key),
    Body: bytes,
    IfNoneMatch: '*',
    Metadata: { [writerField]: writer },
  });
  return bucket.call(timing.callMs, (client, abortSignal) => client.send(command, { abortSignal }));
}

/** Whose bytes are there: empty where they were written without a name, undefined where there are none. */
async function writerOf(bucket: Bucket, key: string, timing: S3Timing): Promise<string | undefined> {
  const command = new HeadObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(key) });
  return bucket.call(timing.callMs, async (client, abortSignal) => {
    try {
      return (await client.send(command, { abortSignal })).Metadata?.[writerField] ?? '';
    } catch (error) {
      // The answer to HEAD has no body that would name the bucket; the write before has shown that it is there.
      if ((error as { name?: string }).name === 'NotFound') return undefined;
      throw error;
    }
  });
}

function undecided(cause: unknown): MemoryError {
  return new MemoryError('dependency_unavailable', 'The S3 server did not decide between writers in time.', { cause });
}
