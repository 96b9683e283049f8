import { z } from 'zod';
import { JobId, Namespace, type Scope, Tenant, Timestamp } from '../../contracts/model/ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { CollectionKey } from '../../ports/vector-index.ts';
import { encodeJson, readJson } from '../stored/artifacts.ts';
import { modelSwitchesPrefix, modelSwitchKey, namespaceModelKey, namespaceModelsPrefix } from '../stored/blob-keys.ts';

const NamespaceModel = z.object({
  schemaVersion: z.literal(1),
  tenant: Tenant,
  namespace: Namespace,
  model: z.string(),
});

/** That a namespace got another embedding model, durably. */
export const ModelSwitch = z.object({
  schemaVersion: z.literal(1),
  tenant: Tenant,
  namespace: Namespace,
  /** Ascending: the last one says which model the namespace has. */
  number: z.int().min(1),
  model: z.string(),
  jobId: JobId,
  at: Timestamp,
});
export type ModelSwitch = z.infer<typeof ModelSwitch>;

/** The embedding model that a namespace has now: what an accepted version said may be older. */
export const modelOf = async (
  { ledger }: { readonly ledger: Pick<Ledger, 'embeddingModelOf'> },
  version: Scope & { readonly embeddingModel: string },
): Promise<string> => (await ledger.embeddingModelOf(version)) ?? version.embeddingModel;

/** Says that a namespace has, or will have, a collection of this model: whatever is deleted is deleted there too. */
export async function noteModel(blobs: BlobStore, { tenant, namespace }: Scope, model: string): Promise<void> {
  const record = { schemaVersion: 1, tenant, namespace, model };
  await blobs.putIfAbsent(namespaceModelKey({ tenant, namespace }, model), encodeJson(record));
}

/** All models that a namespace may have collections of, in no order. */
async function modelsOf(
  deps: { readonly blobs: BlobStore; readonly ledger: Pick<Ledger, 'embeddingModelOf'> },
  scope: Scope,
): Promise<Set<string>> {
  const models = new Set<string>();
  const present = await deps.ledger.embeddingModelOf(scope);
  if (present !== undefined) models.add(present);
  for await (const key of deps.blobs.list(namespaceModelsPrefix(scope))) {
    const noted = await readJson(deps.blobs, key, NamespaceModel);
    if (noted) models.add(noted.model);
  }
  return models;
}

/**
 * The collections in which a document's chunks may lie: of every model that its namespace has or had, those of active
 * versions or those of history.
 */
export async function collectionsOf(
  deps: Parameters<typeof modelsOf>[0],
  { tenant, namespace }: Scope,
  { history = false } = {},
): Promise<CollectionKey[]> {
  const models = await modelsOf(deps, { tenant, namespace });
  return [...models].map((model) => ({ tenant, namespace, model, ...(history ? { history: true as const } : {}) }));
}

/** Records a switch; repeating it changes nothing. */
export async function recordSwitch(blobs: BlobStore, record: Omit<ModelSwitch, 'schemaVersion'>): Promise<void> {
  await blobs.putIfAbsent(modelSwitchKey(record, record.number), encodeJson({ schemaVersion: 1, ...record }));
}

/** The last switch of a namespace; undefined where it has the model that it began with. */
export async function lastSwitch(blobs: BlobStore, scope: Scope): Promise<ModelSwitch | undefined> {
  let last = '';
  for await (const key of blobs.list(modelSwitchesPrefix(scope))) if (key > last) last = key;
  return last === '' ? undefined : readJson(blobs, last, ModelSwitch);
}
