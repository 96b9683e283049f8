import { z } from 'zod';
import { DocumentId, Namespace, Tenant, Version } from '../../contracts/model/ids.ts';
import { activePeriod, replacedAtMs } from '../../ports/document-transitions.ts';
import type { DocumentRecord } from '../../ports/ledger.ts';
import type { ActivePeriod, CollectionKey, VectorRecord } from '../../ports/vector-index.ts';
import type { StepDeps } from '../deps.ts';
import { vectorRecord } from '../index/vector-record.ts';
import { encodeJson, readChunkSet, readVectors, vectorBatchSize } from '../stored/artifacts.ts';
import { replacedKey } from '../stored/blob-keys.ts';

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

/** Records of one write. */
const writeAtOnce = 8 * vectorBatchSize;

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
  const set = await readChunkSet(deps.blobs, ref);
  let moved = 0;
  if (set && period.from < period.to) {
    const key: CollectionKey = { tenant, namespace, model: set.model, history: true };
    for (let from = 0; from < set.chunks.length; from += writeAtOnce) {
      const records: VectorRecord[] = [];
      for (let at = from; at < Math.min(from + writeAtOnce, set.chunks.length); at += vectorBatchSize) {
        const batch = set.chunks.slice(at, at + vectorBatchSize);
        const vectors = await readVectors(deps.blobs, ref, at, { count: batch.length, dimension: set.dimension });
        if (vectors) {
          records.push(
            ...batch.map((chunk, index) => ({ ...vectorRecord(ref, chunk, vectors[index]), active: period })),
          );
        } else deps.logger.error('vectors of a former version are missing; history has a gap', { documentId, version });
      }
      await deps.indexWriter.write(key, records);
      moved += records.length;
    }
  }
  for (const key of await collectionsOf(deps, ref)) await deps.vectors.removeDocument(key, documentId, version);
  return moved;
}

async function isKept(deps: RetireDeps, { tenant, documentId }: DocumentRecord, version: number): Promise<boolean> {
  const now = await deps.ledger.getDocument(tenant, documentId);
  return now?.versions.some((known) => known.version === version) ?? false;
}

/**
 * The collections in which a document's chunks may lie: of its namespace's model, those of active versions or those of
 * history.
 */
export async function collectionsOf(
  deps: Pick<StepDeps, 'ledger'>,
  { tenant, namespace }: { readonly tenant: string; readonly namespace: string },
  { history = false } = {},
): Promise<CollectionKey[]> {
  const known = await deps.ledger.namespaces(tenant);
  return known
    .filter((one) => one.namespace === namespace)
    .map(({ embeddingModel: model }) => ({ tenant, namespace, model, ...(history ? { history: true as const } : {}) }));
}
