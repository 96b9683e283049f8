import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { MemoryError } from '../contracts/errors.ts';
import { JobId, Timestamp } from '../contracts/model/ids.ts';
import type { JobRecord } from '../ports/ledger.ts';
import { type AcceptDeps, type AcceptRequest, accept, discardOriginal } from './accept.ts';
import { encodeJson, readJson } from './artifacts.ts';
import { idempotencyKey } from './blob-keys.ts';
import { newJobId } from './new-id.ts';

/** What a request with an `Idempotency-Key` became. */
const IdempotencyRecord = z.object({
  schemaVersion: z.literal(1),
  fingerprint: z.string(),
  jobId: JobId,
  at: Timestamp,
});

/** A request that is still under way after this long has died with its process; its key may be used anew. */
const underWayMs = 60_000;
/** How long the second of two requests at the same time waits for the first one's answer. */
const waitMs = 2_000;
const lookAgainMs = 50;

/**
 * Accepts a request once per key: the same key and content give the first request's job again.
 * @param idempotency the caller's key, and a hash over the parsed fields and the file's sha256
 * @throws MemoryError `unprocessable` (the key was used for something else), `conflict` (the first request is still
 * under way), and what `accept` throws
 */
export async function acceptOnce(
  deps: AcceptDeps,
  request: AcceptRequest,
  idempotency: { readonly key: string; readonly fingerprint: string },
): Promise<JobRecord> {
  const key = idempotencyKey(request.tenant, idempotency.key);
  const jobId = newJobId();
  const at = new Date(deps.clock.now()).toISOString();
  const record = encodeJson({ schemaVersion: 1, fingerprint: idempotency.fingerprint, jobId, at });
  if (!(await deps.blobs.putIfAbsent(key, record))) {
    const first = await firstAnswer(deps, request.tenant, key, idempotency.fingerprint);
    if (first) {
      if (request.original) await discardOriginal(deps, request.original);
      return first;
    }
    await deps.blobs.put(key, record);
  }
  try {
    return await accept(deps, { ...request, jobId });
  } catch (error) {
    // Nothing was accepted: the key is free for another try.
    await deps.blobs.remove(key);
    throw error;
  }
}

/** The job of the first request with the key, or undefined where that one died before it was accepted. */
async function firstAnswer(
  deps: AcceptDeps,
  tenant: string,
  key: string,
  fingerprint: string,
): Promise<JobRecord | undefined> {
  for (let waited = 0; ; waited += lookAgainMs) {
    const record = await readJson(deps.blobs, key, IdempotencyRecord);
    if (!record) return undefined;
    if (record.fingerprint !== fingerprint) {
      throw new MemoryError('unprocessable', 'This Idempotency-Key was used with another request.', {
        hint: 'Use a new key for a new request.',
      });
    }
    const job = await deps.ledger.getJob(tenant, record.jobId);
    if (job) return job;
    if (deps.clock.now() - Date.parse(record.at) > underWayMs) return undefined;
    if (waited >= waitMs) {
      throw new MemoryError('conflict', 'The first request with this Idempotency-Key is still under way.', {
        hint: 'Ask again in a moment.',
      });
    }
    await delay(lookAgainMs);
  }
}
