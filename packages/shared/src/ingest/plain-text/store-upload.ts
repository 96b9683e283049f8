import type { BlobStore } from '../../ports/blob-store.ts';
import { type StoredBytes, storeOriginal } from '../accept-request.ts';
import { isPlainText, maxPlainTextBytes } from './recognise.ts';

/** As `storeOriginal`, and looks whether the bytes are plain text while they pass by. */
export async function storeUpload(
  deps: { readonly blobs: BlobStore },
  tenant: string,
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<StoredBytes> {
  let head: Uint8Array[] | undefined = [];
  let bytes = 0;
  async function* passing() {
    for await (const part of stream) {
      bytes += part.byteLength;
      // Of a longer one nothing is kept.
      if (bytes > maxPlainTextBytes) head = undefined;
      // Whoever gave the part may use its memory again.
      else head?.push(Uint8Array.from(part));
      yield part;
    }
  }
  const stored = await storeOriginal(deps, tenant, passing(), maxBytes);
  return head && isPlainText(Buffer.concat(head)) ? { ...stored, isPlainText: true } : stored;
}
