import type { BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import { uploadTime } from '../new-id.ts';
import { uploadIdOf, uploadsPrefix } from '../stored/blob-keys.ts';

/** Longer than the API lets a request last, so that nobody is still about to claim what is older. */
export const orphanAfterMs = 60 * 60 * 1000;

/**
 * Removes uploads that no document has claimed and none will: their process died in between, or could not clean up.
 * Claimed bytes lie elsewhere, so nothing here can be the truth of anything, and no manifest need be asked; the place
 * holds what is under way and what was left, so it is listed in one call however large the store is.
 * @returns how many there were
 */
export async function removeOrphanOriginals(
  deps: { readonly blobs: BlobStore; readonly clock: Clock },
  { olderThanMs = orphanAfterMs }: { readonly olderThanMs?: number } = {},
): Promise<number> {
  const before = deps.clock.now() - olderThanMs;
  let removed = 0;
  for await (const key of deps.blobs.list(uploadsPrefix)) {
    const madeAt = uploadTime(uploadIdOf(key));
    if (madeAt === undefined || madeAt > before) continue;
    await deps.blobs.remove(key);
    removed += 1;
  }
  return removed;
}
