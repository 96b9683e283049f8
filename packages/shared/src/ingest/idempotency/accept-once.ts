import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { MemoryError } from '../../contracts/errors.ts';
import { DocumentId, JobId, Timestamp } from '../../contracts/model/ids.ts';
import { Manifest } from '../../contracts/model/manifest.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { type AcceptDeps, accept, claim, handOut, Superseded } from '../accept.ts';
import { type AcceptRequest, discardOriginal, type StoredBytes } from '../accept-request.ts';
import { newDocumentId, newJobId } from '../new-id.ts';
import { readDocumentFacts } from '../recovery/document-facts.ts';
import { restoreDocument } from '../recovery/restore-document.ts';
import { encodeJson, readJson } from '../stored/artifacts.ts';
import { documentPrefix, idempotencyKey, manifestKey, pendingKey } from '../stored/blob-keys.ts';
import { type Outcome, readOutcome } from '../stored/outcome.ts';
import { readPending } from '../stored/pending.ts';

export const IdempotencyRecord = z
  .object({
    schemaVersion: z.literal(1),
    fingerprint: z.string(),
    jobId: JobId,
    documentId: DocumentId,
    upload: z.string().optional().describe("Where the request's own bytes lie until a version claims them."),
    at: Timestamp,
  })
  .describe('What a request with an `Idempotency-Key` becomes: the ids are chosen before anything is done under them.');
type IdempotencyRecord = z.infer<typeof IdempotencyRecord>;

/** A request that is still under way after this long has died with its process; another goes on where it stopped. */
const defaultUnderWayMs = 60_000;
/** How long the second of two requests at the same time waits for the first one's answer. */
const waitMs = 2_000;
const lookAgainMs = 50;

/**
 * Accepts a request once per key: the same key and content give the first request's job again. Where the first
 * request's process died, the next one takes its place, and there still is one job.
 * @param idempotency the caller's key, and a hash over the parsed fields and the file's sha256
 * @throws MemoryError `unprocessable` (the key was used for something else), `conflict` (the first request is still
 * under way), and what `accept` throws
 */
export async function acceptOnce(
  deps: AcceptDeps,
  request: AcceptRequest,
  idempotency: { readonly key: string; readonly fingerprint: string },
): Promise<JobRecord> {
  const { key, fingerprint } = idempotency;
  const dead: IdempotencyRecord[] = [];
  let superseded: Manifest | undefined;
  // One record a try: of those who would take the place of a dead one, one writes the next record.
  for (let attempt = 0; ; ) {
    const recordKey = idempotencyKey(request.tenant, key, attempt);
    const mine: IdempotencyRecord = {
      schemaVersion: 1,
      fingerprint,
      jobId: dead.at(-1)?.jobId ?? newJobId(),
      documentId: dead.at(-1)?.documentId ?? request.documentId ?? newDocumentId(),
      ...(request.original ? { upload: request.original.key } : {}),
      at: new Date(deps.clock.now()).toISOString(),
    };
    if (await deps.blobs.putIfAbsent(recordKey, encodeJson(mine))) {
      const isSuperseded = () => deps.blobs.has(idempotencyKey(request.tenant, key, attempt + 1));
      try {
        const job = await carryOut(deps, { ...request, isSuperseded }, recordKey, mine, dead.length > 0);
        // Theirs are of no use any more, and a delete of the document would not find them.
        for (const { upload } of dead) if (upload !== undefined) await deps.blobs.remove(upload);
        return job;
      } catch (error) {
        if (!(error instanceof Superseded)) throw error;
        superseded = error.manifest;
        attempt += 1;
        continue;
      }
    }
    const first = await firstAnswer(deps, request.tenant, recordKey, fingerprint);
    if (first && 'job' in first) {
      if (request.original) await discardOriginal(deps, request.original);
      if (superseded && superseded.version !== first.job.version) await deps.blobs.remove(manifestKey(superseded));
      // The first request's process may have died before it could.
      if (first.job.state === 'queued') await handOut(deps, [first.job]);
      return first.job;
    }
    // Without a record the first request was refused meanwhile, and the key is free again.
    if (first) {
      dead.push(first.died);
      attempt += 1;
    }
  }
}

async function carryOut(
  deps: AcceptDeps,
  request: AcceptRequest,
  recordKey: string,
  record: IdempotencyRecord,
  takesOver: boolean,
): Promise<JobRecord> {
  try {
    let { jobId } = record;
    if (takesOver) {
      const { manifest: begun, isMarked } = await findBegun(deps, request.tenant, record);
      const outcome = begun && (await readOutcome(deps.blobs, begun));
      if (begun && outcome?.state !== 'aborted') return await finishAccept(deps, begun, outcome, request.original);
      if (begun || isMarked) {
        // What was taken back, or is gone, stays so, under its own id.
        jobId = newJobId();
        await deps.blobs.put(recordKey, encodeJson({ ...record, jobId }));
      }
    }
    return await accept(deps, { ...request, jobId, documentId: record.documentId });
  } catch (error) {
    if (error instanceof Superseded) throw error;
    // Nothing was accepted: the key is free for another try.
    await deps.blobs.remove(recordKey);
    throw error;
  }
}

/** The job of the first request with the key, or its record where it died before it was answered, or nothing where it was refused. */
async function firstAnswer(
  deps: AcceptDeps,
  tenant: string,
  recordKey: string,
  fingerprint: string,
): Promise<{ job: JobRecord } | { died: IdempotencyRecord } | undefined> {
  const underWayMs = deps.idempotencyTimeoutMs ?? defaultUnderWayMs;
  for (let waited = 0; ; waited += lookAgainMs) {
    const record = await readJson(deps.blobs, recordKey, IdempotencyRecord);
    if (!record) return undefined;
    if (record.fingerprint !== fingerprint) {
      throw new MemoryError('unprocessable', 'This Idempotency-Key was used with another request.', {
        hint: 'Use a new key for a new request.',
      });
    }
    const job = await deps.ledger.getJob(tenant, record.jobId);
    if (job) return { job };
    if (deps.clock.now() - Date.parse(record.at) > underWayMs) return { died: record };
    if (waited >= waitMs) {
      throw new MemoryError('conflict', 'The first request with this Idempotency-Key is still under way.', {
        hint: 'Ask again in a moment.',
        retry: { kind: 'wait', afterMs: 1000 },
      });
    }
    await delay(lookAgainMs);
  }
}

/**
 * What an accept that died had written of its document, if it came so far. A marker may outlive its manifest: that was
 * taken back, or deleted, and whoever removes leftovers will find it.
 */
async function findBegun(
  { blobs }: Pick<AcceptDeps, 'blobs'>,
  tenant: string,
  { jobId, documentId }: Pick<IdempotencyRecord, 'jobId' | 'documentId'>,
): Promise<{ readonly manifest?: Manifest; readonly isMarked: boolean }> {
  const marker = await readPending(blobs, pendingKey(jobId));
  const isMarked = marker !== undefined;
  const marked = marker && (await readJson(blobs, manifestKey(marker), Manifest));
  if (marked?.jobId === jobId) return { manifest: marked, isMarked };
  for await (const key of blobs.list(documentPrefix(tenant, documentId))) {
    if (!key.endsWith('/manifest.json')) continue;
    const manifest = await readJson(blobs, key, Manifest);
    if (manifest?.jobId === jobId) return { manifest, isMarked };
  }
  return { isMarked };
}

/**
 * Does what is left of an accept after its manifest was written. Repeating it changes nothing.
 * @param upload the same bytes as the first request's, which may have died before it claimed its own
 */
async function finishAccept(
  deps: AcceptDeps,
  manifest: Manifest,
  outcome: Outcome | undefined,
  upload: StoredBytes | undefined,
): Promise<JobRecord> {
  if (!outcome) await claim(deps, manifest, upload);
  else if (upload) await discardOriginal(deps, upload);
  const { tenant, documentId, jobId } = manifest;
  const facts = await readDocumentFacts(deps.blobs, tenant, documentId);
  const restored = facts && (await restoreDocument(deps, facts));
  const job = await deps.ledger.getJob(tenant, jobId);
  if (!restored || !job) throw new MemoryError('internal', `What was accepted as ${jobId} cannot be found again.`);
  if (restored.steps.length > 0) await deps.queue.add([...restored.steps]);
  deps.metrics.ingestRequest('accepted');
  return job;
}
