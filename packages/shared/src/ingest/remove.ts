import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { MemoryError } from '../contracts/errors.ts';
import type { DeleteReceipt } from '../contracts/model/document.ts';
import { DocumentId, Namespace, Tenant, Timestamp } from '../contracts/model/ids.ts';
import { isTerminal } from '../contracts/model/job.ts';
import type { Cache } from '../ports/cache.ts';
import { replacedAtMs } from '../ports/document-transitions.ts';
import type { DocumentRecord } from '../ports/ledger.ts';
import type { CollectionKey, VectorIndex } from '../ports/vector-index.ts';
import type { IngestDeps } from './deps.ts';
import { endDeleted, endJob } from './finish.ts';
import { finishJob } from './jobs/job-record.ts';
import { newUploadId } from './new-id.ts';
import { collectionsOf } from './reindex/namespace-models.ts';
import { encodeJson, readJson } from './stored/artifacts.ts';
import {
  deletingKey,
  deletingPrefix,
  documentPrefix,
  replacedKey,
  tombstoneKey,
  versionOfKey,
} from './stored/blob-keys.ts';
import { readTombstone, writeTombstone } from './stored/tombstone.ts';
import { removeVersionBlobs } from './versions/expire.ts';

export interface RemoveDeps extends IngestDeps {
  readonly vectors: VectorIndex;
  /** Holds text of what was found lately; absent where nothing is kept. */
  readonly cache?: Pick<Cache, 'clear'> | undefined;
}

/**
 * A writer that was frozen in mid-step may wake once more after the delete; its lock is over by then, its write to the
 * index is not. Longer than the queue's lock and stall check together.
 */
const sweepAfterMs = 90_000;

/** How often a delete removes what a step that is still under way has written meanwhile, and how long it waits for it. */
const mostRounds = 20;
const roundsAtOnce = 5;
const roundMs = 200;

/** How long an interrupted delete is left to whoever began it, and may ask again. */
const interruptedAfterMs = 60_000;

/** A delete that was begun and is not verified yet. */
const Deletion = z.object({
  schemaVersion: z.literal(1),
  tenant: Tenant,
  namespace: Namespace,
  documentId: DocumentId,
  upToVersion: z.int().min(0),
  at: Timestamp,
});
type Deletion = z.infer<typeof Deletion>;

/**
 * Deletes a document everywhere, history included, counts what went, and looks again before it says so. From the first
 * step on no search returns it. A version that is accepted meanwhile is a new document's and stays. What fails in the
 * middle is gone on with by the same call again, or by `finishDeletions`.
 * @throws MemoryError `not_found`, `dependency_unavailable`
 */
export async function removeDocument(deps: RemoveDeps, tenant: string, documentId: string): Promise<DeleteReceipt> {
  const known = await deps.ledger.getDocument(tenant, documentId);
  if (known) return removeKnown(deps, known);
  const interrupted = await readJson(deps.blobs, deletingKey(tenant, documentId), Deletion);
  if (!interrupted) throw new MemoryError('not_found', `There is no document ${documentId}.`);
  return finish(deps, interrupted);
}

async function removeKnown(deps: RemoveDeps, known: DocumentRecord): Promise<DeleteReceipt> {
  const { tenant, namespace, documentId } = known;
  const at = new Date(deps.clock.now()).toISOString();
  const deletion: Deletion = { schemaVersion: 1, tenant, namespace, documentId, upToVersion: known.latestVersion, at };
  await bury(deps, deletion, known);
  const removed = await deps.ledger.removeDocument(tenant, documentId);
  // Another delete was faster, and may still be at it.
  if (!removed) return finish(deps, deletion);
  const { document, openJobIds, postings } = removed;
  // A version that came in between went with the others.
  const whole = { ...deletion, upToVersion: document.latestVersion };
  if (whole.upToVersion > deletion.upToVersion) await bury(deps, whole, document);
  for (const job of await deps.ledger.getJobs(tenant, openJobIds)) {
    await endJob(deps, { ...job, jobId: job.id }, 'cancelled', { error: wasDeleted, job });
  }
  await removeReplacedMarkers(deps, document);
  const receipt = await finish(deps, whole, postings);
  // One whose commit was decided before the delete ends with it, and not as a success.
  for (const jobId of openJobIds) await endDeleted(deps, { tenant, namespace, documentId, version: 0, jobId });
  return receipt;
}

const wasDeleted = { code: 'cancelled', message: 'The document was deleted.' } as const;

/**
 * Says durably that a document is deleted and what is told of its jobs from then on, and sees to it that the delete is
 * carried out, whoever dies.
 */
async function bury(deps: RemoveDeps, deletion: Deletion, { versions }: DocumentRecord): Promise<void> {
  const { tenant, namespace, documentId, upToVersion, at } = deletion;
  await deps.blobs.put(deletingKey(tenant, documentId), encodeJson(deletion));
  const jobIds = versions.map((version) => version.jobId);
  const found = await deps.ledger.getJobs(tenant, jobIds);
  const jobs = found.map((job) =>
    isTerminal(job.state) ? job : finishJob(job, 'cancelled', at, { error: wasDeleted }),
  );
  await writeTombstone(deps.blobs, { tenant, documentId, upToVersion, at, jobs });
  await deps.ledger.retire(tenant, 'job', jobIds, Date.parse(at));
  await deps.queue.add([
    {
      name: 'sweep',
      delayMs: sweepAfterMs,
      payload: { schemaVersion: 1, tenant, namespace, documentId, upToVersion, sweepId: newUploadId() },
    },
  ]);
}

/**
 * Removes what a deleted document has in the stores beside the ledger, and looks again. Repeating it changes nothing.
 * @param postings chunks that the ledger has switched off
 */
async function finish(deps: RemoveDeps, deletion: Deletion, postings = 0): Promise<DeleteReceipt> {
  const { tenant, namespace, documentId, upToVersion, at } = deletion;
  const keys = await collectionsOf(deps, deletion);
  const historyKeys = await collectionsOf(deps, deletion, { history: true });
  const removed = { chunks: 0, postings, cacheEntries: 0, blobs: 0 };
  for (let round = 1; ; round += 1) {
    for (const key of keys) removed.chunks += await deps.vectors.removeDocument(key, documentId, { upToVersion });
    for (const key of historyKeys) await deps.vectors.removeDocument(key, documentId, { upToVersion });
    removed.blobs += await removeBlobs(deps, deletion);
    const left = await findLeft(deps, deletion, [...keys, ...historyKeys]);
    if (!left) break;
    if (round === mostRounds) throw new MemoryError('dependency_unavailable', `${left} Delete ${documentId} again.`);
    // A step that was under way has written since; it notices within a second that its document is gone.
    if (round > roundsAtOnce) await delay(roundMs);
  }
  await tellEnds(deps, tenant, documentId);
  // Last: what is computed from now on finds nothing of it in any store, and what was begun before is not kept. Since the
  // ledger forgot it no entry that holds it was given to anybody.
  removed.cacheEntries = (await deps.cache?.clear({ tenant, namespace })) ?? 0;
  await deps.blobs.remove(deletingKey(tenant, documentId));
  return {
    documentId,
    removed,
    verifiedAbsent: true,
    deletedAt: at,
  };
}

/**
 * A job may have ended by itself between the writing of the tombstone and the delete: the tombstone tells from then on
 * how, or a rebuilt ledger would contradict what users have seen.
 */
async function tellEnds(deps: RemoveDeps, tenant: string, documentId: string): Promise<void> {
  const tombstone = await readTombstone(deps.blobs, tenant, documentId);
  if (!tombstone) return;
  const known = await deps.ledger.getJobs(
    tenant,
    tombstone.jobs.map(({ id }) => id),
  );
  const told = new Map(tombstone.jobs.map((job) => [job.id, job]));
  const ended = known.filter((job) => isTerminal(job.state) && told.get(job.id)?.state !== job.state);
  if (ended.length > 0) await writeTombstone(deps.blobs, { ...tombstone, jobs: ended });
}

/**
 * Goes on with deletes that were interrupted a while ago. One that the ledger never heard of, and after which the
 * document was ingested again, is void: nobody was told that it was done.
 * @returns how many were finished
 * @throws what the first threw that could not be, after all others
 */
export async function finishDeletions(deps: RemoveDeps): Promise<number> {
  let finished = 0;
  const faults: unknown[] = [];
  for await (const key of deps.blobs.list(deletingPrefix)) {
    try {
      if (await finishDeletion(deps, key)) finished += 1;
    } catch (error) {
      faults.push(error);
    }
  }
  deps.metrics.indexDrift('delete_interrupted', finished);
  if (faults.length > 0) throw faults[0];
  return finished;
}

/** @returns false where there is nothing to finish, or not yet */
async function finishDeletion(deps: RemoveDeps, key: string): Promise<boolean> {
  const deletion = await readJson(deps.blobs, key, Deletion);
  if (!deletion || deps.clock.now() - Date.parse(deletion.at) < interruptedAfterMs) return false;
  const { tenant, documentId, upToVersion } = deletion;
  const document = await deps.ledger.getDocument(tenant, documentId);
  const isKnown = document?.versions.some(({ version }) => version <= upToVersion) ?? false;
  if (document && isKnown && document.latestVersion > upToVersion) {
    await deps.blobs.remove(tombstoneKey(tenant, documentId));
    await deps.blobs.remove(key);
    return false;
  }
  if (document && isKnown) await removeKnown(deps, document);
  else await finish(deps, deletion);
  return true;
}

/** Removes the blobs of all versions up to one, known to the ledger or not, and says how many there were. */
async function removeBlobs(
  deps: RemoveDeps,
  { tenant, documentId, upToVersion }: Pick<Deletion, 'tenant' | 'documentId' | 'upToVersion'>,
): Promise<number> {
  const prefix = documentPrefix(tenant, documentId);
  const keys: string[] = [];
  for await (const key of deps.blobs.list(prefix)) keys.push(key);
  const versions = new Set(keys.map(versionOfKey));
  let removed = 0;
  for (const version of versions) {
    if (version > 0 && version <= upToVersion)
      removed += await removeVersionBlobs(deps, { tenant, documentId, version });
  }
  // Of versions that a delete was removing when its process was killed nothing is listed any more.
  await deps.blobs.removeRemains(prefix, (key) => {
    const version = Number(/^v(\d+)(?:\/|$)/.exec(key.slice(prefix.length))?.[1] ?? 0);
    return version > 0 && version <= upToVersion;
  });
  if ([...versions].some((version) => version > upToVersion)) return removed;
  // What belongs to no version: names that the document was given.
  for (const key of keys) {
    if (versionOfKey(key) > 0) continue;
    await deps.blobs.remove(key);
    removed += 1;
  }
  return removed;
}

/** Their retention is over at once. */
async function removeReplacedMarkers(deps: RemoveDeps, document: DocumentRecord): Promise<void> {
  const { tenant, documentId } = document;
  for (const { version } of document.versions) {
    const atMs = replacedAtMs(document, version);
    if (atMs !== undefined) await deps.blobs.remove(replacedKey({ tenant, documentId, version }, atMs));
  }
}

async function storedVersions(deps: RemoveDeps, tenant: string, documentId: string): Promise<Set<number>> {
  const versions = new Set<number>();
  for await (const key of deps.blobs.list(documentPrefix(tenant, documentId))) versions.add(versionOfKey(key));
  return versions;
}

/** What is still there, as a sentence; undefined where nothing is: only then the delete is answered as done. */
async function findLeft(
  deps: RemoveDeps,
  deletion: Deletion,
  keys: readonly CollectionKey[],
): Promise<string | undefined> {
  const { tenant, documentId, upToVersion } = deletion;
  for (const key of keys) {
    const left = await deps.vectors.countDocument(key, documentId, { upToVersion });
    if (left > 0) return `${left} chunks of ${documentId} are still in the index.`;
  }
  for (const version of await storedVersions(deps, tenant, documentId)) {
    if (version > 0 && version <= upToVersion) return `Version ${version} of ${documentId} still has blobs.`;
  }
  return undefined;
}

/**
 * Looks once more after a delete, when no writer from before it can be alive: removes what such a one has written.
 * A document that was ingested again under the id meanwhile keeps its own versions, and one that the ledger never removed
 * all of them: that delete is gone on with, or found void, by `finishDeletions`.
 */
export async function sweepDocument(
  deps: RemoveDeps,
  deleted: { tenant: string; namespace: string; documentId: string; upToVersion: number },
): Promise<void> {
  const { tenant, documentId, upToVersion } = deleted;
  const document = await deps.ledger.getDocument(tenant, documentId);
  if (document?.versions.some(({ version }) => version <= upToVersion)) return;
  let swept = 0;
  for (const history of [false, true]) {
    for (const key of await collectionsOf(deps, deleted, { history }))
      swept += await deps.vectors.removeDocument(key, documentId, { upToVersion });
  }
  if (swept > 0) deps.metrics.indexDrift('written_after_delete', swept);
  await removeBlobs(deps, deleted);
}
