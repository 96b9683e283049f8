import type { IngestDeps } from '../deps.ts';
import { encodeJson, readJson } from '../stored/artifacts.ts';
import { idempotencyExpiryKey, idempotencyPrefix } from '../stored/blob-keys.ts';
import { isDamage } from '../stored/damage.ts';
import { IdempotencyRecord } from './accept-once.ts';

/** How long a key is remembered at least. */
const keptMs = 24 * 3_600_000;

/**
 * Removes idempotency records that are older than a day. Reads all of them, so it does so once a day, whoever asks how
 * often.
 * @returns how many were removed
 */
export async function expireIdempotency(deps: Pick<IngestDeps, 'blobs' | 'clock' | 'logger'>): Promise<number> {
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

async function isOld(deps: Parameters<typeof expireIdempotency>[0], key: string): Promise<boolean> {
  try {
    const record = await readJson(deps.blobs, key, IdempotencyRecord);
    return record !== undefined && deps.clock.now() - Date.parse(record.at) > keptMs;
  } catch (error) {
    if (!isDamage(error)) throw error;
    deps.logger.error('the record of an Idempotency-Key cannot be read', { key, error });
    return false;
  }
}
