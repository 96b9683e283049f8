/** Ways out to the internet; only tier `fetch` has them. Addresses are checked against SSRF before every connection. */
export interface WebFetcher {
  /**
   * The body of a GET, redirects followed (each one checked).
   * @throws MemoryError `fetch_forbidden` (address not allowed), `fetch_failed` (status, network), `too_large`.
   */
  fetch(
    url: string,
    limits: { readonly maxBytes: number; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<{ body: AsyncIterable<Uint8Array>; mediaType?: string; filename?: string; finalUrl: string }>;
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
    limits: { readonly maxBytes: number; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<{ commit: string; files: readonly RepositoryFile[]; dispose(): Promise<void> }>;
}
