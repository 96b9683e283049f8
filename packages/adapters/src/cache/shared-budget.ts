/**
 * Bounds what one process has in the shared layer at a time. The layer may be the ledger's own server, which evicts
 * nothing: a cache must never be what fills it.
 */
export function createSharedBudget(maxBytes: number) {
  // In the order of storing. Lives differ by kind, so that some are counted for longer than they are there.
  const stored: { readonly bytes: number; readonly goneAtMs: number }[] = [];
  let total = 0;
  return {
    /** Takes the bytes for as long as the entry lives, or says that there is no room. */
    take(bytes: number, lifeMs: number): boolean {
      const now = performance.now();
      let gone = 0;
      for (const entry of stored) {
        if (entry.goneAtMs > now) break;
        total -= entry.bytes;
        gone += 1;
      }
      stored.splice(0, gone);
      if (total + bytes > maxBytes) return false;
      stored.push({ bytes, goneAtMs: now + lifeMs });
      total += bytes;
      return true;
    },
  };
}
