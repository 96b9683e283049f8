/** Whose entries lie together and are cleared together: those of a namespace, or of a tenant at large. */
export interface CacheArea {
  readonly tenant: string;
  readonly namespace?: string | undefined;
}

export interface CacheEntry {
  /** JSON. */
  readonly value: unknown;
  /** Milliseconds since 1970. */
  readonly storedAtMs: number;
}

export interface CacheTimes {
  /** An entry is as good as new for so long. */
  readonly freshMs: number;
  /** From then on it is there for whoever has nothing better, for so long. */
  readonly graceMs: number;
}

/**
 * What was computed, kept for a while: in this process, and in a layer that all processes share. A cache is never a
 * reason to fail: where the shared layer is away, a look-up finds what this process has, and a store stores here. Only
 * `clear` says so, since nobody could vouch that nothing is left.
 */
export interface Cache {
  /**
   * What is there under a key; the one in this process where it is fresh, else the shared one, else nothing or an entry
   * in its grace. Entries of two areas never meet, whatever their keys.
   * @param options.again a look-up that repeats one, and is not counted
   */
  get(area: CacheArea, key: string, options?: { readonly again?: boolean }): Promise<CacheEntry | undefined>;
  /**
   * The right to compute what a key stands for, which one caller of all processes has at a time. It is kept while its
   * process lives, until it is used or given back.
   * @returns undefined where another has it
   */
  claim(area: CacheArea, key: string): Promise<CacheClaim | undefined>;
  /**
   * Removes everything of an area, in all layers, and makes its claims void: what is being computed from what was there
   * before is not stored afterwards.
   * @returns how many entries there were
   * @throws MemoryError `dependency_unavailable` where the shared layer is away
   */
  clear(area: CacheArea): Promise<number>;
  close(): Promise<void>;
}

/** To be used once: `store` or `release`. Neither throws. */
export interface CacheClaim {
  /** Whether nothing was there under the key, not even in its grace, when it was claimed: nobody has computed it meanwhile. */
  readonly foundNothing: boolean;
  /** Stores unless the area was cleared since the claim. */
  store(value: unknown, times: CacheTimes): Promise<void>;
  release(): Promise<void>;
}
