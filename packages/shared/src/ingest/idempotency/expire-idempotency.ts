import type { BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import { encodeJson, readJson } from '../stored/artifacts.ts';
import { idempotencyExpiryKey, idempotencyPrefix } from '../stored/blob-keys.ts';
import { IdempotencyRecord } from './accept-once.ts';

/** How long a key is remembered at least. */
const keptMs = 24 * 3_600_000;

/**
 * Removes idempotency records that are older than a day. Reads all of them, so it does so once a day, whoever asks how
 * often.
 * @returns how many were removed
 */
export async function expireIdempotency(deps: { readonly blobs: BlobStore; readonly clock: Clock }): Promise<number> {
  const at = new Date(deps.clock.now()).toISOString();
  const today = idempotencyExpiryKey(at.slice(0, 10));
  if (!(await deps.blobs.putIfAbsent(today, encodeJson({ at })))) return 0;
  let removed = 0;
  for await (const key of deps.blobs.list(idempotencyPrefix)) {
    if (key === today) continue;
    const expired = key.startsWith(idempotencyExpiryKey('').slice(0, -'.json'.length)) || (await isOld(deps, key));
    if (!expired) continue;
    await deps.blobs.remove(key);
    removed += 1;
  }
  return removed;
}

async function isOld(deps: { readonly blobs: BlobStore; readonly clock: Clock }, key: string): Promise<boolean> {
  const record = await readJson(deps.blobs, key, IdempotencyRecord);
  return record !== undefined && deps.clock.now() - Date.parse(record.at) > keptMs;
}
