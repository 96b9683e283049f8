import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Bucket, S3Timing } from './bucket.ts';
import { isAbsent, s3Failure } from './failure.ts';

export interface OpenObject {
  readonly bytes: number;
  /** May be read once. Throws where the bytes stop coming, or end before all have come. */
  readonly stream: AsyncIterable<Uint8Array>;
}

/**
 * Begins to read an object; undefined where there is none.
 * @param range half-open, in bytes; what is beyond the object's end is left out
 */
export async function openObject(
  bucket: Bucket,
  key: string,
  timing: S3Timing,
  range?: { readonly start: number; readonly end: number },
): Promise<OpenObject | undefined> {
  try {
    return await bucket.call(timing.callMs, async (client, abortSignal) => {
      const command = new GetObjectCommand({
        Bucket: bucket.name,
        Key: bucket.keyOf(key),
        ...(range ? { Range: `bytes=${range.start}-${range.end - 1}` } : {}),
      });
      const answer = client.send(command, { abortSignal });
      const { Body, ContentLength = 0 } = await (range ? answer.catch(nothingThere) : answer);
      if (!Body) return { bytes: 0, stream: Readable.from([]) };
      return { bytes: ContentLength, stream: wholeBody(Body as Readable, ContentLength, timing.idleMs) };
    });
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The object is there and has no byte in the range that was asked for. @throws all else */
export function nothingThere(error: unknown): { Body?: undefined; ContentLength?: undefined } {
  if ((error as { name?: string }).name === 'InvalidRange') return {};
  throw error;
}

/**
 * The deadline stands between two pieces, so that a large object may take its time and a reader too.
 * @param bytes how many have to come, where the server has said so
 */
export async function* wholeBody(
  body: Readable,
  bytes: number | undefined,
  idleMs: number,
): AsyncGenerator<Uint8Array> {
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
  if (bytes !== undefined && read !== bytes) {
    throw new MemoryError('dependency_unavailable', `The S3 server sent ${read} of ${bytes} bytes.`);
  }
}

export async function readAll({ bytes, stream }: OpenObject): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces, bytes);
}
