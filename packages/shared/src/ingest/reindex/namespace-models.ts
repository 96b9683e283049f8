import type { Scope } from '../../contracts/model/ids.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { CollectionKey } from '../../ports/vector-index.ts';

interface ModelDeps {
  readonly ledger: Pick<Ledger, 'embeddingModelOf'>;
}

/** The embedding model that a namespace has now: what an accepted version said may be older. */
export const modelOf = async (
  { ledger }: ModelDeps,
  version: Scope & { readonly embeddingModel: string },
): Promise<string> => (await ledger.embeddingModelOf(version)) ?? version.embeddingModel;

/** The collections in which a document's chunks may lie: those of active versions or those of history. */
export async function collectionsOf(
  { ledger }: ModelDeps,
  { tenant, namespace }: Scope,
  { history = false } = {},
): Promise<CollectionKey[]> {
  const model = await ledger.embeddingModelOf({ tenant, namespace });
  return model === undefined ? [] : [{ tenant, namespace, model, ...(history ? { history: true as const } : {}) }];
}
