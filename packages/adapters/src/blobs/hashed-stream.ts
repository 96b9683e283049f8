import { createHash } from 'node:crypto';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';

/** A stream on its way into a store: the parts as they came, and what they were once all have passed. */
export interface HashedStream {
  readonly parts: AsyncGenerator<Uint8Array>;
  /** Of all parts that have passed. To be called once, at the end. */
  facts(): { bytes: number; sha256: string };
}

/** Hashes and counts a stream. Its parts throw `request_too_large` once more than `maxBytes` have come. */
export function hashedStream(stream: AsyncIterable<Uint8Array>, maxBytes: number): HashedStream {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const part of stream) {
      bytes += part.byteLength;
      if (bytes > maxBytes) {
        throw new MemoryError('request_too_large', `The content is larger than ${maxBytes} bytes.`, {
          details: { maxBytes },
        });
      }
      hash.update(part);
      yield part;
    }
  }
  return { parts: counted(), facts: () => ({ bytes, sha256: hash.digest('hex') }) };
}
