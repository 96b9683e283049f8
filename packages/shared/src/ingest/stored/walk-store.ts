import type { BlobStore } from '../../ports/blob-store.ts';

/** Something in the blob store that the ledger follows from. */
export type StoredFact =
  /** A key of a version's manifest: enough to learn which document it is. */
  | { readonly kind: 'document'; readonly manifestKey: string }
  | { readonly kind: 'tombstone'; readonly key: string }
  | { readonly kind: 'batch'; readonly key: string }
  | { readonly kind: 'model_switch'; readonly key: string };

const modelSwitch = /^tenants\/\w+\/namespaces\/\w+\/switches\//;
const documentKey = /^tenants\/\w+\/documents\/\w+\/\w+\//;

/**
 * What lies below a prefix, each document once where the store lists a folder's keys together (a file system and S3 do),
 * and possibly more often where it does not.
 */
export async function* walkStore(blobs: Pick<BlobStore, 'list'>, prefix: string): AsyncGenerator<StoredFact> {
  let document: string | undefined;
  for await (const key of blobs.list(prefix)) {
    const folder = documentKey.exec(key)?.[0];
    if (folder !== undefined) {
      if (folder === document || !key.endsWith('/manifest.json')) continue;
      document = folder;
      yield { kind: 'document', manifestKey: key };
    } else {
      if (modelSwitch.test(key)) yield { kind: 'model_switch', key };
      const kind = /^tenants\/\w+\/(tombstones|batches)\//.exec(key)?.[1];
      if (kind === 'tombstones') yield { kind: 'tombstone', key };
      else if (kind === 'batches') yield { kind: 'batch', key };
    }
  }
}

/** Handles items as they come, at most `atOnce` at the same time, and ends with the first error. */
export async function forEachAtOnce<Item>(
  items: AsyncIterable<Item>,
  atOnce: number,
  handle: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  let failed = false;
  const work = async () => {
    try {
      for (let next = await iterator.next(); !next.done && !failed; next = await iterator.next()) {
        await handle(next.value);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, work));
  } finally {
    await iterator.return?.();
  }
}
