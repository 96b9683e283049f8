/** What a source answers with. */
export interface Fetched {
  readonly body: AsyncIterable<Uint8Array>;
  /** As the source says; content decides. */
  readonly mediaType?: string;
  readonly filename?: string;
}

export interface FetchLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** Ways out to the internet; only tier `fetch` has them. Addresses are checked against SSRF before every connection. */
export interface WebFetcher {
  /**
   * The body of a GET, redirects followed (each one checked).
   * @throws MemoryError `fetch_forbidden` (address not allowed), `fetch_failed` (status, network), `too_large`.
   */
  fetch(url: string, limits: FetchLimits, signal: AbortSignal): Promise<Fetched & { finalUrl: string }>;
}

export interface RepositoryFile {
  /** Relative to the repository's root, with slashes. */
  readonly path: string;
  /** Where the bytes are on this machine until the checkout is disposed. */
  readonly localPath: string;
  readonly bytes: number;
}

export interface GitFetcher {
  /** A shallow copy of one ref. @throws as WebFetcher. */
  checkout(
    repository: { readonly url: string; readonly ref?: string | undefined },
    limits: FetchLimits,
    signal: AbortSignal,
  ): Promise<{ commit: string; files: readonly RepositoryFile[]; dispose(): Promise<void> }>;
}

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
}

/** Objects of buckets that an operator has allowed; whether one is allowed is asked before. */
export interface ObjectFetcher {
  /**
   * The objects whose keys begin with `prefix`, in pages, by key.
   * @throws MemoryError `fetch_failed` (no such bucket), `fetch_forbidden` (the server refuses it),
   * `dependency_unavailable` (away, or its settings are wrong)
   */
  list(
    place: { readonly bucket: string; readonly prefix: string },
    signal: AbortSignal,
  ): AsyncIterable<readonly ListedObject[]>;
  /** One object. @throws as `list`, and `too_large`; of an object that is not there `fetch_failed` */
  fetch(
    place: { readonly bucket: string; readonly key: string },
    limits: FetchLimits,
    signal: AbortSignal,
  ): Promise<Fetched>;
}

/** What the operator lets tenants read out of buckets. */
export interface AllowedBucket {
  /** Or `*`: every tenant. */
  readonly tenant: string;
  readonly bucket: string;
  /** Begins every key that may be read: empty, or ending with a slash. */
  readonly prefix: string;
}
