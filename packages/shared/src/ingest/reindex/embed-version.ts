import type { ReembedPayload } from '../../contracts/jobs.ts';
import type { StepDeps } from '../deps.ts';
import { embedChunks } from '../embed-chunks.ts';
import { readChunkSet } from '../stored/artifacts.ts';
import { manifestKey, type VersionRef, versionPrefix } from '../stored/blob-keys.ts';
import { type EmbeddedChunks, embeddedBy, hasVectors, readEmbedded } from '../stored/embedded-chunks.ts';
import { formerChunks, knownVectors } from '../versions/former-chunks.ts';

type EmbedVersionDeps = Pick<StepDeps, 'blobs' | 'ledger' | 'metrics' | 'embedderFor' | 'quotas'>;

/**
 * A version's chunks with the vectors of a model, which are made from the stored chunks where there are none yet. Chunks
 * that the document had before, with vectors of that model, are not embedded again.
 * @returns undefined where the version has no chunks: it was not cut yet, or is deleted
 * @throws MemoryError `dependency_unavailable` where the model is away, `cancelled` or the reason of `signal`
 */
export async function embedVersion(
  deps: EmbedVersionDeps,
  { tenant, documentId, version }: VersionRef,
  model: string,
  signal: AbortSignal,
): Promise<EmbeddedChunks | undefined> {
  const ref = { tenant, documentId, version };
  const there = await readEmbedded(deps.blobs, ref, model);
  // Vectors that the chunks were cut for may have been removed since (left-models.ts).
  if (there && (there.ref.folder !== undefined || (await hasVectors(deps.blobs, there)))) return there;
  const set = await readChunkSet(deps.blobs, ref);
  if (!set) return undefined;
  const embedder = deps.embedderFor(model);
  await embedder.ready();
  const embedded = embeddedBy(ref, set, embedder);
  const former = await formerChunks(deps, { ...ref, run: 0 }, embedder);
  const known = await knownVectors(deps, former, embedded.set);
  await embedChunks(deps, embedder, embedded, former, known, {
    signal,
    beforeBatch: () => signal.throwIfAborted(),
  });
  // Deleted, or expired, while it was embedded: whoever did that may have looked before this was written.
  if (await deps.blobs.has(manifestKey(ref))) return embedded;
  await deps.blobs.removePrefix(versionPrefix(ref));
  return undefined;
}

/** Embeds a version by the model that its namespace has now. Repeating it changes nothing. */
export async function reembed(deps: EmbedVersionDeps, payload: ReembedPayload, signal: AbortSignal): Promise<void> {
  const model = await deps.ledger.embeddingModelOf(payload);
  if (model !== undefined) await embedVersion(deps, payload, model, signal);
}
