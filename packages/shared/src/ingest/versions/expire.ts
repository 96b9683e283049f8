import { isTerminal } from '../../contracts/model/job.ts';
import { Manifest } from '../../contracts/model/manifest.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { VectorIndex } from '../../ports/vector-index.ts';
import type { IngestDeps } from '../deps.ts';
import { collectionsOf } from '../reindex/namespace-models.ts';
import { encodeJson, readFetched, readJson } from '../stored/artifacts.ts';
import {
  createdKey,
  manifestKey,
  replacedAtOf,
  replacedPrefix,
  tombstoneKey,
  type VersionRef,
  versionPrefix,
} from '../stored/blob-keys.ts';
import { isDamage } from '../stored/damage.ts';
import { ReplacedVersion } from './retire.ts';

export interface ExpireDeps extends IngestDeps {
  readonly vectors: VectorIndex;
}

/**
 * Forgets replaced versions whose retention is over: their place in the ledger, their chunks in history, their blobs.
 * Markers in the blob store say which they are and since when, so nothing else is walked. Never the active version,
 * never the latest. Safe at any time and from several processes; what a crash leaves is found by the next run.
 * @returns how many versions were forgotten
 */
export async function expireVersions(deps: ExpireDeps, retentionMs: number): Promise<number> {
  let expired = 0;
  for await (const key of deps.blobs.list(replacedPrefix)) {
    if (replacedAtOf(key) + retentionMs > deps.clock.now()) continue;
    try {
      const marker = await readJson(deps.blobs, key, ReplacedVersion);
      if (!marker || !(await expireVersion(deps, marker))) continue;
    } catch (error) {
      if (!isDamage(error)) throw error;
      deps.logger.error('a replaced version cannot expire', { key, error });
      continue;
    }
    await deps.blobs.remove(key);
    expired += 1;
  }
  if (expired > 0) deps.logger.info('replaced versions expired', { versions: expired });
  return expired;
}

/** Returns false where it is not to be forgotten yet. */
async function expireVersion(deps: ExpireDeps, ref: ReplacedVersion): Promise<boolean> {
  const { tenant, namespace, documentId, version } = ref;
  const document = await deps.ledger.getDocument(tenant, documentId);
  // A ledger that knows nothing of it may be one that is being rebuilt.
  if (!document && !(await deps.blobs.has(tombstoneKey(tenant, documentId)))) return false;
  const known = document?.versions.find((one) => one.version === version);
  if (document && known) {
    if (version === document.activeVersion || version === document.latestVersion) return false;
    const job = await deps.ledger.getJob(tenant, known.jobId);
    if (job && !isTerminal(job.state)) return false;
    if (job) await deps.ledger.retire(tenant, 'job', [job.id], Date.parse(job.updatedAt));
    // The oldest version tells when the document was made.
    await deps.blobs.putIfAbsent(createdKey(tenant, documentId), encodeJson({ createdAt: document.createdAt }));
    // From here on no search and no reader is told of it.
    await deps.ledger.forgetVersion({ tenant, namespace }, documentId, version);
  }
  for (const history of [true, false]) {
    for (const key of await collectionsOf(deps, ref, { history }))
      await deps.vectors.removeDocument(key, documentId, version);
  }
  await removeVersionBlobs(deps, ref);
  return true;
}

/** Removes a version's original and all else that it has in the blob store. Returns how many blobs there were. */
export async function removeVersionBlobs(
  deps: Pick<IngestDeps, 'blobs'>,
  ref: Omit<ReplacedVersion, 'namespace'>,
): Promise<number> {
  const original = await findOriginal(deps.blobs, ref);
  let removed = 0;
  if (original && (await deps.blobs.has(original.key))) {
    await deps.blobs.remove(original.key);
    removed += 1;
  }
  return removed + (await deps.blobs.removePrefix(versionPrefix(ref)));
}

/** Most lie in the folder of their version, and go with it, also where nothing that names them can be read any more. */
async function findOriginal(blobs: BlobStore, ref: VersionRef): Promise<{ readonly key: string } | undefined> {
  try {
    const manifest = await readJson(blobs, manifestKey(ref), Manifest);
    return manifest?.original ?? (await readFetched(blobs, ref));
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined;
  }
}
