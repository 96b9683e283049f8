import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Bucket, S3Timing } from './bucket.ts';
import { isAbsent, s3Failure } from './failure.ts';

export interface OpenObject {
  readonly bytes: number;
  /** May be read once. Throws where the bytes stop coming, or end before all have come. */
  readonly stream: AsyncIterable<Uint8Array>;
}

/** Begins to read an object; undefined where there is none. */
export async function openObject(bucket: Bucket, key: string, timing: S3Timing): Promise<OpenObject | undefined> {
  try {
    return await bucket.call(timing.callMs, async (client, abortSignal) => {
      const command = new GetObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(key) });
      const { Body, ContentLength = 0 } = await client.send(command, { abortSignal });
      return { bytes: ContentLength, stream: wholeBody(Body as Readable, ContentLength, timing.idleMs) };
    });
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The deadline stands between two pieces, so that a large object may take its time and a reader too. */
async function* wholeBody(body: Readable, bytes: number, idleMs: number): AsyncGenerator<Uint8Array> {
  let read = 0;
  let timedOut = false;
  const wait = () =>
    setTimeout(() => {
      timedOut = true;
      body.destroy(new Error(`nothing came for ${idleMs} ms`));
    }, idleMs);
  let timer = wait();
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      read += piece.byteLength;
      yield piece;
      timer = wait();
    }
  } catch (error) {
    throw s3Failure(error, timedOut);
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
  if (read !== bytes) {
    throw new MemoryError('dependency_unavailable', `The S3 server sent ${read} of ${bytes} bytes.`);
  }
}

export async function readAll({ bytes, stream }: OpenObject): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces, bytes);
}
