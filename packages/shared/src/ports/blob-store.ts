/** What is written under a key. */
export interface NewBlob {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** Bytes by key: the truth of the service. A write that returned has been synced: a power cut does not undo it. */
export interface BlobStore {
  /**
   * Writes a whole blob, replacing what was there.
   * @throws MemoryError `dependency_unavailable` where the store is away or full.
   */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /**
   * Writes several blobs as `put` does, at the same time: cheaper than one by one where they share a prefix. Where it
   * throws any of them may be there.
   */
  putAll(blobs: readonly NewBlob[]): Promise<void>;
  /**
   * Writes only where nothing is there yet. Returns false, and writes nothing, where something is.
   * @param options.transient the name need not outlive a power cut until something else is named under its prefix
   */
  putIfAbsent(key: string, bytes: Uint8Array, options?: { transient?: boolean }): Promise<boolean>;
  /**
   * Gives a blob a second key, replacing what was there; later writes to the one leave the other as it is.
   * @throws MemoryError `not_found` where there is no blob `from`.
   */
  copy(from: string, to: string): Promise<void>;
  /**
   * Gives a blob another key, replacing what was there. A crash may leave it under both, never under none.
   * @throws MemoryError `not_found` where there is no blob `from`.
   */
  move(from: string, to: string): Promise<void>;
  /**
   * Writes a stream, hashing on the way. With `transient` the name need not outlive a power cut: the blob will be moved,
   * or is of no use.
   * @throws MemoryError `request_too_large` once more than `maxBytes` have come; nothing is kept then.
   */
  putStream(
    key: string,
    stream: AsyncIterable<Uint8Array>,
    limits: { maxBytes: number; transient?: boolean },
  ): Promise<{ bytes: number; sha256: string }>;
  /** The bytes, or undefined where there is no such blob. */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * The bytes from `start` up to but not including `end`: fewer where the blob ends before, none where it ends before
   * `start`, undefined where there is no such blob.
   * @param start, end whole numbers, 0 ≤ start < end
   */
  getRange(key: string, start: number, end: number): Promise<Uint8Array | undefined>;
  getStream(key: string): Promise<{ stream: AsyncIterable<Uint8Array>; bytes: number } | undefined>;
  has(key: string): Promise<boolean>;
  /** All keys that begin with `prefix`, in no order. A prefix ends with a slash. */
  list(prefix: string): AsyncIterable<string>;
  /** Removing what is not there is no error. */
  remove(key: string): Promise<void>;
  /** Removes every key that begins with `prefix` (which ends with a slash) and says how many there were. */
  removePrefix(prefix: string): Promise<number>;
  /**
   * Removes what killed processes have left of blobs below `prefix` (which ends with a slash) and no list shows: written in
   * part, or removed in part.
   * @param isGone whether a blob is to be removed, by its key, or by a prefix (without its slash) that was removed as a whole
   */
  removeRemains(prefix: string, isGone: (key: string) => boolean): Promise<void>;
  /**
   * A file on this machine with the blob's bytes, for child processes. Read-only.
   * @throws MemoryError `not_found`.
   */
  localFile(key: string): Promise<{ path: string; dispose(): Promise<void> }>;
  /** Answers, or throws `dependency_unavailable`. */
  check(): Promise<void>;
}
