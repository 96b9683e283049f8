import { z } from 'zod';
import { MemoryError, toMemoryError } from '../contracts/errors.ts';
import type { StepPayload } from '../contracts/jobs.ts';
import { Version } from '../contracts/model/ids.ts';
import type { Manifest } from '../contracts/model/manifest.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { JobRecord } from '../ports/ledger.ts';
import { abortVersion } from './abort.ts';
import { type AcceptDeps, claim, handOut, newestStoredVersion, nextAfterDelete, removeClaim } from './accept.ts';
import { type AcceptRequest, discardOriginal, type StoredBytes } from './accept-request.ts';
import { endWithParent } from './jobs/cancel.ts';
import { newJob } from './jobs/job-record.ts';
import { retryJob } from './jobs/retry.ts';
import { childJobId } from './new-id.ts';
import { documentFacts, manifestFor, versionRecord } from './new-manifest.ts';
import { encodeJson, readJson, readManifest } from './stored/artifacts.ts';
import { childKey, manifestKey, type VersionRef } from './stored/blob-keys.ts';
import { readOutcome } from './stored/outcome.ts';
import { isDeleted, readTombstone } from './stored/tombstone.ts';

/*
 * A job whose source is many documents accepts each of them under an id that follows from the job and the document's
 * name, so that doing it again makes nothing new. Which version that id is of is decided once, in the blob store: of two
 * workers at the same step, or of one that was killed and the next, all write the same version. An accept that fails is
 * not taken back, as a request's is: the step is repeated and goes on with it.
 */

/** Which version a job is of that another job made. */
const ChildRecord = z.object({ schemaVersion: z.literal(1), version: Version, embeddingModel: z.string() });
type ChildRecord = z.infer<typeof ChildRecord>;

/** A document that a job brings, by the job that it has or gets. */
export interface Child {
  readonly documentId: string;
  readonly jobId: string;
  /** The job's record, where it was accepted. */
  readonly job?: JobRecord | undefined;
  /** What somebody began to accept. */
  readonly begun?: ChildRecord | undefined;
}

export interface ChildRequest
  extends Omit<AcceptRequest, 'tenant' | 'namespace' | 'documentId' | 'jobId' | 'parentJobId' | 'original'> {
  /** The bytes, unless a step of the child fetches them. */
  readonly original?: StoredBytes | undefined;
  /** The number that its version gets at least. */
  readonly atLeast?: number | undefined;
  /** Writes what of the version is there already: called once its number is known, before it counts as accepted. */
  readonly writeArtifacts?: ((version: Manifest) => Promise<void>) | undefined;
}

/**
 * What there is of a document that a job brings.
 * @param name unique among the documents of the parent, and the same each time
 */
export async function findChild(
  deps: Pick<AcceptDeps, 'blobs' | 'ledger'>,
  parent: StepPayload,
  name: string,
  documentId: string,
): Promise<Child> {
  const { tenant } = parent;
  for (let attempt = 0; ; attempt += 1) {
    const jobId = childJobId(parent.jobId, attempt, name);
    const job = await deps.ledger.getJob(tenant, jobId);
    const begun = await readJson(deps.blobs, childKey(parent, jobId), ChildRecord);
    if (!begun) return { documentId, jobId, job };
    const ref = { tenant, documentId, version: begun.version };
    const tombstone = await readTombstone(deps.blobs, tenant, documentId);
    if (tombstone && tombstone.upToVersion >= begun.version) {
      const deleted = job ?? tombstone.jobs.find((one) => one.id === jobId);
      if (deleted) return { documentId, jobId, job: deleted, begun };
    } else if (!(await isVoid(deps.blobs, ref, jobId))) return { documentId, jobId, job, begun };
    // What was taken back stays so, under its own id.
  }
}

/** Whether nothing will ever come of a version under this job. */
async function isVoid(blobs: BlobStore, ref: VersionRef, jobId: string): Promise<boolean> {
  const manifest = await readManifest(blobs, ref).catch(ignoreNotFound);
  if (!manifest) return false;
  // Another job's: a ledger that has lost its last writes gave the number out again.
  return manifest.jobId !== jobId || (await readOutcome(blobs, ref))?.state === 'aborted';
}

/**
 * Accepts a document that a job brings, or goes on where another process stopped. Repeating it changes nothing.
 * @returns undefined where the document was deleted meanwhile, with what there was of this version
 * @throws MemoryError `conflict` where the tenant has the document in another namespace
 */
export async function acceptChild(
  deps: AcceptDeps,
  parent: StepPayload,
  child: Child,
  request: ChildRequest,
): Promise<JobRecord | undefined> {
  let manifest: Manifest | undefined;
  try {
    manifest = await writeManifest(deps, parent, child, request);
    await request.writeArtifacts?.(manifest);
    await claim(deps, manifest, request.original);
  } catch (error) {
    if (request.original) await discardOriginal(deps, request.original);
    if (!manifest || !isNotFound(error)) throw error;
    if (await isDeleted(deps.blobs, manifest)) return undefined;
    throw new MemoryError('internal', `The bytes of ${child.documentId} have vanished while they were accepted.`, {
      retry: { kind: 'backoff' },
      cause: error,
    });
  }
  const job = newJob(manifest);
  try {
    await deps.ledger.createJob(job, versionRecord(manifest), documentFacts(manifest));
  } catch (thrown) {
    const error = toMemoryError(thrown);
    // Nobody will come through with it. Where the ledger is only away, the step goes on with it, or the reconciler does.
    if (error.code === 'conflict' && (await abortVersion(deps, manifest))) await removeClaim(deps, manifest);
    throw error;
  }
  await handOut(deps, [job]);
  deps.metrics.ingestRequest('accepted');
  return job;
}

/**
 * Says that a job was brought by another one, and does for it what was asked of that one meanwhile: a cancelled parent's
 * is cancelled, and what had failed is tried again where the parent is.
 */
export async function joinParent(deps: AcceptDeps, parent: StepPayload, { jobId, job }: Child): Promise<void> {
  const { tenant } = parent;
  await deps.ledger.addChild(tenant, parent.jobId, jobId);
  if (job?.state === 'queued') await handOut(deps, [job]);
  if (parent.run > 0 && (job?.state === 'failed' || job?.state === 'cancelled')) {
    // Its document may be gone, or have a newer version: then this one's end stands.
    await retryJob(deps, tenant, jobId).catch((error: unknown) => {
      if (!(error instanceof MemoryError) || (error.code !== 'not_found' && error.code !== 'conflict')) throw error;
    });
  }
  if ((await deps.ledger.getJob(tenant, parent.jobId))?.state !== 'cancelled') return;
  const brought = await deps.ledger.getJob(tenant, jobId);
  if (brought) await endWithParent(deps, brought, parent.jobId);
}

/** The manifest of the one version that the child's job is of, whoever wrote it. */
async function writeManifest(
  deps: AcceptDeps,
  parent: StepPayload,
  { documentId, jobId, begun }: Child,
  { original, atLeast, writeArtifacts: _, ...request }: ChildRequest,
): Promise<Manifest> {
  const { tenant, namespace } = parent;
  const { version, embeddingModel } = begun ?? (await decideVersion(deps, parent, { documentId, jobId }, atLeast));
  const whole = { ...request, tenant, namespace, documentId, parentJobId: parent.jobId, original };
  const mine = manifestFor(whole, jobId, version, embeddingModel, new Date(deps.clock.now()).toISOString());
  if (await deps.blobs.putIfAbsent(manifestKey(mine), encodeJson(mine))) return mine;
  const standing = await readManifest(deps.blobs, mine).catch(ignoreNotFound);
  if (standing?.jobId === jobId) return standing;
  // Deleted in this moment, or a number that somebody else has: found so when it is looked for anew.
  throw new MemoryError('internal', `Version ${version} of ${documentId} is another job's.`, {
    retry: { kind: 'backoff' },
  });
}

async function decideVersion(
  deps: AcceptDeps,
  parent: StepPayload,
  { documentId, jobId }: Child,
  atLeast = 1,
): Promise<ChildRecord> {
  const { tenant, namespace } = parent;
  const least = Math.max(
    atLeast,
    (await nextAfterDelete(deps.blobs, tenant, documentId)) ?? 1,
    // A ledger that has lost its last writes may give out a number that is in use.
    (await newestStoredVersion(deps.blobs, tenant, documentId)) + 1,
  );
  const { version, embeddingModel } = await deps.ledger.reserveVersion(
    { tenant, namespace },
    documentId,
    deps.embeddingModel,
    least,
  );
  const mine: ChildRecord = { schemaVersion: 1, version, embeddingModel };
  if (await deps.blobs.putIfAbsent(childKey(parent, jobId), encodeJson(mine))) return mine;
  const standing = await readJson(deps.blobs, childKey(parent, jobId), ChildRecord);
  // Gone only with the parent itself.
  if (!standing) throw new MemoryError('not_found', `Job ${parent.jobId} is gone.`);
  return standing;
}

const isNotFound = (error: unknown): boolean => error instanceof MemoryError && error.code === 'not_found';

function ignoreNotFound(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}
