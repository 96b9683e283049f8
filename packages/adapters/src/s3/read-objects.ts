import type { Readable } from 'node:stream';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { ListedObject, ObjectFetcher } from '@semantic-memory/shared/ports/fetcher';
import { filenameOr, mediaTypeOf } from '../web/response-facts.ts';
import { openServer, type S3ServerSettings, type S3Timing } from './bucket.ts';
import { type Ends, objectFailure } from './object-failure.ts';
import { wholeBody } from './read.ts';

/** What S3 calls objects of which nobody has said what they are. */
const noTypes = ['application/octet-stream', 'binary/octet-stream'];

/** Reads and lists objects of any bucket that the key may read. Never writes. */
export function openObjects(settings: S3ServerSettings, timing: S3Timing): ObjectFetcher & { close(): void } {
  const server = openServer(settings, timing);

  return {
    async *list({ bucket, prefix }, signal) {
      const ends = { signal, timeout: new AbortController().signal, timeoutMs: 0 };
      let ContinuationToken: string | undefined;
      do {
        const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken });
        const page = await server
          .call(timing.callMs, (client, timeout) =>
            client.send(command, { abortSignal: AbortSignal.any([signal, timeout]) }),
          )
          .catch((error: unknown) => {
            throw objectFailure(error, ends);
          });
        yield (page.Contents ?? []).map(({ Key, Size }): ListedObject => ({ key: Key!, bytes: Size ?? 0 }));
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);
    },

    async fetch({ bucket, key }, { maxBytes, timeoutMs }, signal) {
      const timeout = AbortSignal.timeout(timeoutMs);
      const ended = AbortSignal.any([signal, timeout]);
      const ends = { signal, timeout, timeoutMs };
      const command = new GetObjectCommand({ Bucket: bucket, Key: key });
      const answer = await server
        .call(timing.callMs, (client, callTimeout) =>
          client.send(command, { abortSignal: AbortSignal.any([ended, callTimeout]) }),
        )
        .catch((error: unknown) => {
          throw objectFailure(error, ends);
        });
      const { ContentLength, ContentType = null, ContentDisposition = null } = answer;
      const body = answer.Body as Readable;
      if (ContentLength !== undefined && ContentLength > maxBytes) {
        body.destroy();
        throw new MemoryError('too_large', `The object is larger than ${maxBytes} bytes.`, { details: { maxBytes } });
      }
      const mediaType = mediaTypeOf(ContentType);
      const filename = filenameOr(key, ContentDisposition);
      return {
        body: until(ended, body, wholeBody(body, ContentLength, timing.idleMs), ends),
        ...(mediaType && !noTypes.includes(mediaType) ? { mediaType } : {}),
        ...(filename ? { filename } : {}),
      };
    },

    close: () => server.close(),
  };
}

/** A body that ends with an error once nobody waits for it any more. */
async function* until(
  ended: AbortSignal,
  body: Readable,
  pieces: AsyncIterable<Uint8Array>,
  ends: Ends,
): AsyncGenerator<Uint8Array> {
  const stop = () => body.destroy(new Error('it is not waited for any more'));
  ended.addEventListener('abort', stop);
  try {
    ended.throwIfAborted();
    yield* pieces;
  } catch (error) {
    throw objectFailure(error, ends);
  } finally {
    ended.removeEventListener('abort', stop);
    body.destroy();
  }
}
