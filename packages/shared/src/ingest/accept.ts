import { MemoryError, toJobError, toMemoryError } from '../contracts/errors.ts';
import type { Manifest } from '../contracts/model/manifest.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { QueuedJob } from '../ports/job-queue.ts';
import type { JobRecord } from '../ports/ledger.ts';
import { abortVersion } from './abort.ts';
import type { AcceptRequest, StoredBytes } from './accept-request.ts';
import type { IngestDeps } from './deps.ts';
import { finishJob, newJob } from './jobs/job-record.ts';
import { firstDeliveryId, newDocumentId, newJobId } from './new-id.ts';
import { documentFacts, manifestFor, versionRecord } from './new-manifest.ts';
import { currentStep, hasNoDocument, sourceTypeOf } from './next-jobs.ts';
import { encodeJson } from './stored/artifacts.ts';
import { documentPrefix, manifestKey, originalKey } from './stored/blob-keys.ts';
import { markPending, removePending } from './stored/pending.ts';
import { readTombstone } from './stored/tombstone.ts';
import { announceEnd, oweCall, oweNothing } from './webhooks/webhook-outbox.ts';

export interface AcceptDeps extends IngestDeps {
  /** The model that a new namespace gets; an old one keeps its own. */
  readonly embeddingModel: string;
  /** After how long a request with an `Idempotency-Key` that was not answered counts as dead, in milliseconds. */
  readonly idempotencyTimeoutMs?: number;
}

/** Another process carries the request out: there is nothing to go on with, and nothing to take back. */
export class Superseded extends Error {
  /** What the other one may not have seen. */
  readonly manifest: Manifest;

  constructor(manifest: Manifest) {
    super(`the request of ${manifest.jobId} is carried out by another process`);
    this.manifest = manifest;
  }
}

/**
 * Accepts a document: once this returns, the document is in the blob store and ends in a terminal state whatever
 * happens to any process or to Redis. In order: manifest and marker (durable), ledger, queue.
 * @throws MemoryError `conflict` where the tenant has the document in another namespace, `dependency_unavailable` where
 * it could not be finished: nothing of it will be ingested then; `Superseded`
 */
export async function accept(deps: AcceptDeps, request: AcceptRequest): Promise<JobRecord> {
  const job = await acceptUnqueued(deps, request);
  await handOut(deps, [job]);
  deps.metrics.ingestRequest('accepted');
  return job;
}

/**
 * As `accept`, but for the queue: nothing is done to the document until it is handed out, so that whoever accepts many
 * can take all of them back. Where the process dies before, the reconciler hands it out.
 */
export async function acceptUnqueued(deps: AcceptDeps, request: AcceptRequest): Promise<JobRecord> {
  const createdAt = new Date(deps.clock.now()).toISOString();
  const manifest = await claimVersion(deps, request, createdAt);
  const job = newJob(manifest);
  try {
    if (hasNoDocument(sourceTypeOf(manifest.source))) await deps.ledger.createParentJob(job);
    else await deps.ledger.createJob(job, versionRecord(manifest), documentFacts(manifest));
  } catch (error) {
    await leaveToOther(request, manifest);
    // The call may have timed out and yet take effect later. Every step looks for this outcome first, and the reconciler
    // takes out what the ledger says all the same: the marker of what is open stays for it. Where it has taken effect and
    // the version has ended by now, what it claimed is its own.
    if (await abortVersion(deps, manifest)) await removeClaim(deps, manifest);
    throw toMemoryError(error);
  }
  return job;
}

/** So many go to the queue in one call: whoever else asks Redis for something waits for it. */
const handedOutAtOnce = 100;

/**
 * Puts jobs that were accepted into the queue, which knows them by their ids, so that twice is once. Where it is away
 * they get there later: they are accepted all the same.
 */
export async function handOut(deps: Pick<AcceptDeps, 'queue' | 'logger'>, jobs: readonly JobRecord[]): Promise<void> {
  const steps = jobs.map(currentStep);
  for (let from = 0; from < steps.length; from += handedOutAtOnce) {
    const some = steps.slice(from, from + handedOutAtOnce);
    try {
      await deps.queue.add(some);
    } catch (error) {
      // Durable and in the ledger: should this process die before the queue is back, the reconciler hands them out.
      deps.logger.warn('queue away after accept; jobs are handed out later', { jobs: some.length, error });
      handOutLater(deps, some);
    }
  }
}

const addAgainMs = 1000;

function handOutLater(deps: Pick<AcceptDeps, 'queue'>, jobs: readonly QueuedJob[]): void {
  const timer = setTimeout(() => {
    deps.queue.add(jobs).catch(() => handOutLater(deps, jobs));
  }, addAgainMs);
  timer.unref();
}

/**
 * Records an item of a batch that cannot be accepted as a job that has failed, beside its good neighbours. It makes no
 * document.
 */
export async function acceptRejected(
  deps: AcceptDeps,
  request: Omit<AcceptRequest, 'original'>,
  error: MemoryError,
): Promise<JobRecord> {
  const createdAt = new Date(deps.clock.now()).toISOString();
  const manifest = manifestFor(request, newJobId(), 1, deps.embeddingModel, createdAt);
  const job = newJob(manifest);
  const failed = finishJob(job, 'failed', createdAt, { error: toJobError(error) });
  await oweCallback(deps, manifest);
  // First, so that it is forgotten one day whoever dies.
  await deps.ledger.retire(manifest.tenant, 'job', [manifest.jobId], Date.parse(createdAt));
  // In one step: nothing would ever end a job that has no document.
  await deps.ledger.createParentJob(failed);
  deps.metrics.ingestRequest('rejected');
  await announceEnd(deps, failed);
  return failed;
}

/** A call that was asked for is owed before anybody can hear of the job. */
async function oweCallback(deps: AcceptDeps, manifest: Manifest): Promise<void> {
  const { callbackUrl, jobId } = manifest;
  if (callbackUrl !== undefined) await oweCall(deps, manifest, { deliveryId: firstDeliveryId(jobId), callbackUrl });
}

/** Reserves the next version and writes what was accepted under it, durably. */
async function claimVersion(deps: AcceptDeps, request: AcceptRequest, createdAt: string): Promise<Manifest> {
  const documentId = request.documentId ?? newDocumentId();
  const jobId = request.jobId ?? newJobId();
  // A ledger that lost its last writes may give out a number that was deleted, and stays so.
  let atLeast =
    request.documentId === undefined
      ? undefined
      : await nextAfterDelete(deps.blobs, request.tenant, request.documentId);
  for (;;) {
    const { version, embeddingModel } = await deps.ledger.reserveVersion(
      { tenant: request.tenant, namespace: request.namespace },
      documentId,
      deps.embeddingModel,
      atLeast,
    );
    const manifest = manifestFor({ ...request, documentId }, jobId, version, embeddingModel, createdAt);
    // Where bytes came with the request, their name beside it makes it durable.
    const transient = request.original !== undefined;
    if (await deps.blobs.putIfAbsent(manifestKey(manifest), encodeJson(manifest), { transient })) {
      // Who takes a request over says so first, and then looks for a manifest: one of the two sees the other.
      await leaveToOther(request, manifest);
      try {
        await claim(deps, manifest, request.original);
      } catch (error) {
        await leaveToOther(request, manifest);
        await removeManifest(deps, manifest);
        throw error;
      }
      return manifest;
    }
    // The ledger has forgotten versions that the blob store, which is the truth, still knows.
    atLeast = (await newestStoredVersion(deps.blobs, request.tenant, documentId)) + 1;
  }
}

async function leaveToOther({ isSuperseded }: AcceptRequest, manifest: Manifest): Promise<void> {
  if (await isSuperseded?.()) throw new Superseded(manifest);
}

/** The first version number that no delete has taken with it; undefined where nothing was deleted. */
export async function nextAfterDelete(
  blobs: BlobStore,
  tenant: string,
  documentId: string,
): Promise<number | undefined> {
  const tombstone = await readTombstone(blobs, tenant, documentId);
  return tombstone && tombstone.upToVersion + 1;
}

/**
 * Makes an upload the original of a version, and the version known to the reconciler: from then on it is ingested,
 * whatever happens to this process. Until then the upload lies where old ones are removed.
 */
export async function claim(deps: AcceptDeps, manifest: Manifest, upload: StoredBytes | undefined): Promise<void> {
  await oweCallback(deps, manifest);
  // At the same time, for both wait for the disk: a marker without the bytes is of no version.
  const written = await Promise.allSettled([
    upload && moveUpload(deps, upload, manifest),
    markPending(deps.blobs, manifest),
  ]);
  for (const { status, ...rest } of written) if (status === 'rejected') throw (rest as PromiseRejectedResult).reason;
}

/** A process that was taken for dead finds that another has brought the same bytes to their place. */
async function moveUpload({ blobs }: AcceptDeps, upload: StoredBytes, manifest: Manifest): Promise<void> {
  try {
    await blobs.move(upload.key, originalKey(manifest));
  } catch (error) {
    const isGone = error instanceof MemoryError && error.code === 'not_found';
    if (!isGone || !(await blobs.has(originalKey(manifest)))) throw error;
  }
}

/** Takes back what `claim` has done for a version that nobody else has heard of. Its manifest, or an outcome, stays. */
export async function removeClaim(deps: Pick<AcceptDeps, 'blobs'>, manifest: Manifest): Promise<void> {
  if (manifest.original) await deps.blobs.remove(manifest.original.key);
  if (manifest.callbackUrl !== undefined) await oweNothing(deps.blobs, firstDeliveryId(manifest.jobId));
}

/** A full disk still lets files be removed; where the store is away this fails too, and the version stays unclaimed. */
async function removeManifest(deps: AcceptDeps, manifest: Manifest): Promise<void> {
  try {
    await removeClaim(deps, manifest);
    await removePending(deps.blobs, manifest.jobId);
    await deps.blobs.remove(manifestKey(manifest));
  } catch (error) {
    deps.logger.warn('a version that was not accepted could not be taken back', { jobId: manifest.jobId, error });
  }
}

export async function newestStoredVersion(blobs: BlobStore, tenant: string, documentId: string): Promise<number> {
  const prefix = documentPrefix(tenant, documentId);
  let newest = 0;
  for await (const key of blobs.list(prefix)) {
    const version = Number(/^v(\d+)\//.exec(key.slice(prefix.length))?.[1] ?? 0);
    if (version > newest) newest = version;
  }
  return newest;
}
