import { z } from 'zod';
import { Namespace, type Scope, Tenant } from '../../contracts/model/ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { VectorIndex } from '../../ports/vector-index.ts';
import type { IngestDeps } from '../deps.ts';
import { encodeJson, readJson } from '../stored/artifacts.ts';
import { leftAtOf, leftModelKey, leftModelsPrefix } from '../stored/blob-keys.ts';
import { removeVectors } from '../stored/embedded-chunks.ts';
import { openReindexes } from './open-reindexes.ts';

export interface LeftModelsDeps extends IngestDeps {
  readonly vectors: VectorIndex;
}

/** A model that a namespace has left, or was being filled for: its vectors are kept for the way back for a time. */
const LeftModel = z.object({
  schemaVersion: z.literal(1),
  tenant: Tenant,
  namespace: Namespace,
  model: z.string(),
  /** Of the ledger's list of documents: those before it have no vectors of the model any more. */
  cursor: z.string().optional(),
});
type LeftModel = z.infer<typeof LeftModel>;

/** A search that began before a switch may take as long, and whoever looks at the outcome before going back. */
const leastKeptMs = 24 * 60 * 60 * 1000;
/** Whether the model is wanted again is asked anew after so many documents. */
const documentsAtOnce = 20;
/** One call goes on for so long; the next begins where it ended. */
const mostMs = 5 * 60_000;

/**
 * Says that vectors of a model may be of no more use to a namespace from a moment on. Said too often it does no harm:
 * what is removed is decided when the time is over.
 */
export async function markLeft(blobs: BlobStore, { tenant, namespace }: Scope, model: string, at: string) {
  const record: LeftModel = { schemaVersion: 1, tenant, namespace, model };
  await blobs.put(leftModelKey(record, model, Date.parse(at)), encodeJson(record));
}

/**
 * Removes the vectors of models that namespaces have left longer ago than the retention (a day at least): their collections,
 * and what lies in the blob store. Never of the model that a namespace has, nor while one is being re-indexed, nor of a
 * model that was left again since. Safe at any time; what a crash leaves is gone on with by the next call.
 * @returns of how many models all is gone now
 */
export async function removeLeftModels(deps: LeftModelsDeps, retentionMs: number): Promise<number> {
  const keys: string[] = [];
  for await (const key of deps.blobs.list(leftModelsPrefix)) keys.push(key);
  const startedAt = deps.clock.now();
  let removed = 0;
  for (const key of keys) {
    if (leftAtOf(key) + Math.max(retentionMs, leastKeptMs) > deps.clock.now()) continue;
    const left = await readJson(deps.blobs, key, LeftModel);
    if (!left) continue;
    const { tenant, namespace, model } = left;
    const isLeftAgain = keys.some((other) => leftAtOf(other) > leftAtOf(key) && other.endsWith(markOf(key)));
    if (isLeftAgain || (await deps.ledger.embeddingModelOf(left)) === model) {
      await deps.blobs.remove(key);
      continue;
    }
    if (!(await removeModel(deps, key, left, startedAt + mostMs))) continue;
    await deps.blobs.remove(key);
    removed += 1;
    deps.logger.info('the vectors of a model that a namespace has left are removed', { tenant, namespace, model });
  }
  return removed;
}

/** Of two markers of the same namespace and model the same. */
const markOf = (key: string) => key.slice(key.lastIndexOf('-'));

/** Returns false where there is more to do, later. */
async function removeModel(deps: LeftModelsDeps, key: string, left: LeftModel, untilMs: number): Promise<boolean> {
  const { tenant, namespace, model } = left;
  let { cursor } = left;
  if ((await presentUnlessWanted(deps, left)) === undefined) return false;
  for (const history of [{}, { history: true as const }])
    await deps.vectors.removeCollection({ tenant, namespace, model, ...history });
  for (;;) {
    const present = await presentUnlessWanted(deps, left);
    if (present === undefined) return false;
    const page = await deps.ledger.listDocuments(tenant, { namespace, limit: documentsAtOnce, cursor });
    for (const { documentId, versions } of page.items)
      for (const { version } of versions)
        await removeVectors(deps.blobs, { tenant, documentId, version }, model, present);
    cursor = page.nextCursor;
    if (cursor === undefined) return true;
    if (deps.clock.now() < untilMs) continue;
    await deps.blobs.put(key, encodeJson({ ...left, cursor }));
    return false;
  }
}

/** The model that the namespace has; undefined where nothing may be removed: it is not known, or a re-index is under way. */
async function presentUnlessWanted({ ledger }: LeftModelsDeps, left: LeftModel): Promise<string | undefined> {
  if ((await openReindexes(ledger, left)).length > 0) return undefined;
  const present = await ledger.embeddingModelOf(left);
  return present === left.model ? undefined : present;
}
