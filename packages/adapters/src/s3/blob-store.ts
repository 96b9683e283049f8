import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { assertBlobKey, assertBlobPrefix, ownKeys } from '@semantic-memory/shared/ports/blob-key';
import type { BlobStore } from '@semantic-memory/shared/ports/blob-store';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { hashedStream } from '../blobs/hashed-stream.ts';
import { takeUpTo } from '../blobs/take-up-to.ts';
import { makeWorkDirectory } from '../child/work-directory.ts';
import { openBucket, type S3Settings, type S3Timing, s3Timing } from './bucket.ts';
import { isAbsent } from './failure.ts';
import { createFirstWriter } from './first-writer.ts';
import { assertConditions, putIfAbsent } from './put-if-absent.ts';
import { nothingThere, openObject, readAll } from './read.ts';
import { abandonLeftovers, partBytes, uploadInParts } from './upload-in-parts.ts';

export interface S3BlobStore extends BlobStore {
  /** Closes its connections and removes its local files. */
  close(): Promise<void>;
}

export interface S3StoreOptions {
  readonly logger: Logger;
  readonly timing?: Partial<S3Timing>;
  /** Where local files of blobs lie; the system's folder for temporary files where absent. */
  readonly temporaryDirectory?: string;
}

/**
 * Blobs as objects of an S3 bucket, of Amazon's or of any server that obeys conditional writes. A write that was
 * answered is durable; an object is there whole or not at all. Naming a store opens no connection.
 */
export function createS3BlobStore(settings: S3Settings, options: S3StoreOptions): S3BlobStore {
  const timing = { ...s3Timing, ...options.timing };
  const bucket = openBucket(settings, timing);
  const at = (key: string) => {
    assertBlobKey(key);
    return { Bucket: bucket.name, Key: bucket.keyOf(key) };
  };
  const firstWriter = createFirstWriter();
  const conditions = once(() => assertConditions(bucket, timing));
  const localFolder = once(() => makeWorkDirectory(options.temporaryDirectory, 'blobs').catch(rethrowLocal));
  const leftovers = once(() =>
    abandonLeftovers(bucket, timing, Date.now()).catch((error: unknown) =>
      // Only money: the bucket's lifecycle rule may do it, or the next process.
      options.logger.warn('unfinished uploads of processes that are gone could not be removed', { error }),
    ),
  );

  async function put(key: string, bytes: Uint8Array): Promise<void> {
    const command = new PutObjectCommand({ ...at(key), Body: bytes });
    const withinMs = bytes.byteLength > partBytes / 8 ? timing.transferMs : timing.callMs;
    await bucket.call(withinMs, (client, abortSignal) => client.send(command, { abortSignal }));
  }

  async function copy(from: string, to: string): Promise<void> {
    const source = at(from);
    const CopySource = `${source.Bucket}/${source.Key.split('/').map(encodeURIComponent).join('/')}`;
    await bucket.call(timing.transferMs, (client, abortSignal) =>
      client.send(new CopyObjectCommand({ ...at(to), CopySource }), { abortSignal }),
    );
  }

  async function remove(key: string): Promise<void> {
    const command = new DeleteObjectCommand(at(key));
    await bucket
      .call(timing.callMs, (client, abortSignal) => client.send(command, { abortSignal }))
      .catch((error: unknown) => {
        // Amazon says nothing of it, some servers do.
        if (!isAbsent(error)) throw error;
      });
  }

  /** Pages of keys as the bucket has them; those that the store keeps for itself are left out. */
  async function* pages(prefix: string): AsyncGenerator<string[]> {
    assertBlobPrefix(prefix);
    const hidden = bucket.keyOf(`${ownKeys}/`);
    let ContinuationToken: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: bucket.name,
        Prefix: bucket.keyOf(prefix),
        ContinuationToken,
      });
      const page = await bucket.call(timing.callMs, (client, abortSignal) => client.send(command, { abortSignal }));
      yield (page.Contents ?? []).map(({ Key }) => Key!).filter((key) => !key.startsWith(hidden));
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
  }

  async function removeAll(keys: readonly string[]): Promise<void> {
    const command = new DeleteObjectsCommand({
      Bucket: bucket.name,
      Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true },
    });
    const { Errors: errors = [] } = await bucket.call(timing.transferMs, (client, abortSignal) =>
      client.send(command, { abortSignal }),
    );
    if (errors.length > 0) {
      throw new MemoryError('dependency_unavailable', `The S3 server did not delete ${errors.length} blobs.`, {
        cause: errors[0],
      });
    }
  }

  return {
    put,

    async putAll(blobs) {
      await Promise.all(blobs.map(({ key, bytes }) => put(key, bytes)));
    },

    async putIfAbsent(key, bytes) {
      assertBlobKey(key);
      await conditions();
      return firstWriter(key, () => putIfAbsent(bucket, key, bytes, timing));
    },

    copy,

    async move(from, to) {
      await copy(from, to);
      await remove(from);
    },

    async putStream(key, stream, { maxBytes }) {
      assertBlobKey(key);
      const { parts, facts } = hashedStream(stream, maxBytes);
      try {
        const head = await takeUpTo(parts, partBytes);
        if (head.isAll) await put(key, head.bytes);
        else {
          await leftovers();
          await uploadInParts(bucket, key, headThen(head.bytes, parts), timing);
        }
      } finally {
        // Where a write failed the rest of the stream is not wanted.
        await parts.return(undefined);
      }
      return facts();
    },

    async get(key) {
      assertBlobKey(key);
      const object = await openObject(bucket, key, timing);
      return object && readAll(object);
    },

    async getRange(key, start, end) {
      assertBlobKey(key);
      const part = await openObject(bucket, key, timing, { start, end });
      return part && readAll(part);
    },

    async getStream(key) {
      assertBlobKey(key);
      return openObject(bucket, key, timing);
    },

    async has(key) {
      // By GET of one byte: HEAD answers 404 without saying whether the key or the whole bucket is not there.
      const command = new GetObjectCommand({ ...at(key), Range: 'bytes=0-0' });
      return bucket
        .call(timing.callMs, async (client, abortSignal) => {
          const { Body } = await client.send(command, { abortSignal }).catch(nothingThere);
          await Body?.transformToByteArray();
          return true;
        })
        .catch((error: unknown) => {
          if (isAbsent(error)) return false;
          throw error;
        });
    },

    async *list(prefix) {
      const start = bucket.keyOf('').length;
      for await (const page of pages(prefix)) for (const key of page) yield key.slice(start);
    },

    remove,

    async removePrefix(prefix) {
      if (prefix === '') throw new MemoryError('internal', 'The whole blob store is never removed.');
      let removed = 0;
      for await (const keys of pages(prefix)) {
        if (keys.length > 0) await removeAll(keys);
        removed += keys.length;
      }
      return removed;
    },

    // An object is there or not. Parts of uploads that were broken off can be read by nobody, and are abandoned at the next start.
    async removeRemains() {},

    async localFile(key) {
      assertBlobKey(key);
      const object = await openObject(bucket, key, timing);
      if (!object) throw new MemoryError('not_found', 'The content is not in the blob store.');
      const path = join(await localFolder(), randomUUID());
      const dispose = () => rm(path, { force: true }).catch(rethrowLocal);
      try {
        await pipeline(object.stream, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
      } catch (error) {
        await dispose();
        throw localFailure(error);
      }
      return { path, dispose };
    },

    async check() {
      const command = new ListObjectsV2Command({ Bucket: bucket.name, Prefix: bucket.keyOf(''), MaxKeys: 1 });
      await bucket.call(timing.checkMs, (client, abortSignal) => client.send(command, { abortSignal }));
      await conditions();
    },

    async close() {
      bucket.close();
      const folder = await localFolder.started();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs once; a failure is not remembered, since the server may come back. */
function once<Result>(
  act: () => Promise<Result>,
): (() => Promise<Result>) & { started(): Promise<Result | undefined> } {
  let running: Promise<Result> | undefined;
  const run = () => {
    running ??= act().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
  return Object.assign(run, { started: async () => running });
}

async function* headThen(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}

/** The disk of this machine, not the server: what came from the server is a `MemoryError` already. */
function localFailure(error: unknown): MemoryError {
  if (error instanceof MemoryError) return error;
  return new MemoryError('dependency_unavailable', 'A local copy of the content could not be written.', {
    hint: 'Look at the disk for temporary files (TMPDIR). The service goes on by itself once it can be written.',
    cause: error,
  });
}

function rethrowLocal(error: unknown): never {
  throw localFailure(error);
}
