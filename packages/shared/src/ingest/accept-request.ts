import type { Metadata, Priority, Scope } from '../contracts/model/ids.ts';
import type { StoredSource } from '../contracts/model/source.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { newUploadId } from './new-id.ts';
import { uploadKey } from './stored/blob-keys.ts';

export interface StoredBytes {
  readonly key: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Whether they are plain text beyond doubt, as far as anybody has looked. */
  readonly isPlainText?: true;
}

export interface AcceptRequest extends Scope {
  /** Made up where absent. */
  readonly documentId?: string | undefined;
  readonly title?: string | undefined;
  readonly metadata: Metadata;
  readonly priority: Priority;
  readonly options: Record<string, unknown>;
  readonly callbackUrl?: string | undefined;
  /** What the caller said the bytes are; content decides. What is no media type is left out. */
  readonly declaredMediaType?: string | undefined;
  readonly source: StoredSource;
  /** The bytes, where they came with the request: stored by `storeOriginal`. */
  readonly original?: StoredBytes | undefined;
  readonly batchId?: string | undefined;
  /** The job that brought this document. */
  readonly parentJobId?: string | undefined;
  /** Chosen by the caller where accepting again must not make a second job: see `acceptOnce` and `acceptChild`. */
  readonly jobId?: string | undefined;
  /** Whether another process carries this request out by now, having taken this one for dead. Absent: none can. */
  readonly isSuperseded?: (() => Promise<boolean>) | undefined;
  /** Set for a version whose artifacts are there already: nothing of it is read or embedded. */
  readonly imported?: { readonly documentCreatedAt: string } | undefined;
}

/**
 * Stores the bytes of a request durably, before a document claims them.
 * @throws MemoryError `request_too_large` beyond `maxBytes`; nothing is kept then
 */
export async function storeOriginal(
  deps: { readonly blobs: BlobStore },
  tenant: string,
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<StoredBytes> {
  const key = uploadKey(tenant, newUploadId());
  return { key, ...(await deps.blobs.putStream(key, stream, { maxBytes, transient: true })) };
}

/** Removes stored bytes that no document will claim; harmless where one has. */
export const discardOriginal = (deps: { readonly blobs: BlobStore }, original: StoredBytes) =>
  deps.blobs.remove(original.key);
