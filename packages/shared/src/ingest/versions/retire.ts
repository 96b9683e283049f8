import { z } from 'zod';
import { DocumentId, Namespace, Tenant, Version } from '../../contracts/model/ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { activePeriod, replacedAtMs } from '../../ports/document-transitions.ts';
import type { DocumentRecord } from '../../ports/ledger.ts';
import type { ActivePeriod, CollectionKey } from '../../ports/vector-index.ts';
import type { StepDeps } from '../deps.ts';
import { indexRecords } from '../index/index-records.ts';
import { collectionsOf } from '../reindex/namespace-models.ts';
import { encodeJson, readChunkSet } from '../stored/artifacts.ts';
import { replacedKey, type VersionRef } from '../stored/blob-keys.ts';
import { type EmbeddedChunks, embeddedBy, readEmbedded } from '../stored/embedded-chunks.ts';

type RetireDeps = Pick<StepDeps, 'blobs' | 'ledger' | 'vectors' | 'indexWriter' | 'logger'>;

/** A version that a newer one has replaced, or has passed by: kept until retention is over. */
export const ReplacedVersion = z.object({
  schemaVersion: z.literal(1),
  tenant: Tenant,
  namespace: Namespace,
  documentId: DocumentId,
  version: Version,
});
export type ReplacedVersion = Omit<z.infer<typeof ReplacedVersion>, 'schemaVersion'>;

/**
 * Retires the versions of a document between two activations: their chunks move to history, and all are marked to be
 * expired. Repeating it changes nothing; a crash anywhere in it is put right by repeating it.
 * @param from the version that was active before, 0 where none was
 * @param before the version that is active since
 */
export async function retireVersions(
  deps: RetireDeps,
  scope: Omit<ReplacedVersion, 'version'>,
  { from, before }: { readonly from: number; readonly before: number },
): Promise<void> {
  const document = await deps.ledger.getDocument(scope.tenant, scope.documentId);
  for (const { version } of document?.versions ?? []) {
    if (version >= from && version < before) await retireVersion(deps, { ...scope, version });
  }
}

/**
 * Moves what a replaced version has among the active chunks to history: first it is there, then it is gone here, so
 * that a search as of then finds it at every moment. Does nothing to a version that is active, ahead, or unknown. For
 * a version that has not ended it only makes the marker. Also adds what history has lost.
 * @returns how many chunks history holds of it now
 */
export async function retireVersion(deps: RetireDeps, ref: ReplacedVersion): Promise<number> {
  const { tenant, namespace, documentId, version } = ref;
  const document = await deps.ledger.getDocument(tenant, documentId);
  const atMs = document?.namespace === namespace ? replacedAtMs(document, version) : undefined;
  if (!document || atMs === undefined || !document.versions.some((known) => known.version === version)) return 0;
  await deps.blobs.put(
    replacedKey(ref, atMs),
    encodeJson({ schemaVersion: 1, tenant, namespace, documentId, version }),
  );
  const period = activePeriod(document, version);
  const moved = period ? await moveToHistory(deps, ref, period) : 0;
  // Whoever deleted the document, or expired the version, may have looked before this was written.
  if (!(await isKept(deps, document, version))) {
    for (const key of await collectionsOf(deps, ref, { history: true }))
      await deps.vectors.removeDocument(key, documentId, version);
    await deps.blobs.remove(replacedKey(ref, atMs));
    return 0;
  }
  return moved;
}

async function moveToHistory(deps: RetireDeps, ref: ReplacedVersion, period: ActivePeriod): Promise<number> {
  const { tenant, namespace, documentId, version } = ref;
  const model = await deps.ledger.embeddingModelOf(ref);
  const embedded = await historyOf(deps.blobs, ref, model);
  const moved = embedded ? await addToHistory(deps, namespace, embedded, period) : 0;
  // Only there: a search that began before the namespace got its model may still look into the collection of the former.
  if (model !== undefined) await deps.vectors.removeDocument({ tenant, namespace, model }, documentId, version);
  return moved;
}

/**
 * Adds what the history of a model lacks of a version that was active in a period.
 * @returns how many chunks it holds of it now
 */
export async function addToHistory(
  deps: Pick<RetireDeps, 'blobs' | 'indexWriter' | 'logger'>,
  namespace: string,
  embedded: EmbeddedChunks,
  period: ActivePeriod,
): Promise<number> {
  const { ref, set } = embedded;
  // One that was replaced within the millisecond was active at no moment.
  if (period.from >= period.to) return 0;
  const { tenant, documentId, version } = ref;
  const key: CollectionKey = { tenant, namespace, model: set.model, history: true };
  const sayGap = () =>
    deps.logger.error('vectors of a former version are missing; history has a gap', { documentId, version });
  let added = 0;
  for await (const { records } of indexRecords(deps.blobs, embedded, sayGap)) {
    await deps.indexWriter.write(
      key,
      records.map((record) => ({ ...record, active: period })),
    );
    added += records.length;
  }
  return added;
}

/**
 * A version as history holds it: embedded by the namespace's model, or where that has never seen it, by the one that the
 * version was made with.
 */
export async function historyOf(
  blobs: BlobStore,
  ref: VersionRef,
  model: string | undefined,
): Promise<EmbeddedChunks | undefined> {
  const embedded = model === undefined ? undefined : await readEmbedded(blobs, ref, model);
  if (embedded) return embedded;
  const set = await readChunkSet(blobs, ref);
  return set && embeddedBy(ref, set, set);
}

async function isKept(deps: RetireDeps, { tenant, documentId }: DocumentRecord, version: number): Promise<boolean> {
  const now = await deps.ledger.getDocument(tenant, documentId);
  return now?.versions.some((known) => known.version === version) ?? false;
}
