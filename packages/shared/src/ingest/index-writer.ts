import { MemoryError } from '../contracts/errors.ts';
import type { CollectionKey, VectorIndex, VectorRecord } from '../ports/vector-index.ts';

/** Adds records to the index and vouches for them: after `write` has returned they are there. */
export interface IndexWriter {
  write(key: CollectionKey, records: readonly VectorRecord[]): Promise<void>;
}

interface Entry {
  readonly records: readonly VectorRecord[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers the chunks of many documents into one call. The index takes 1,000 records in a call as fast as 20, and
 * single writes at the same time only slow each other down: so there is one writer a collection, and what comes
 * while it writes goes with the next group.
 * @param maxRecords a group is written at once when it has this many
 * @param maxWaitMs how long the first of a group waits for company
 */
export function createIndexWriter(vectors: VectorIndex, { maxRecords = 250, maxWaitMs = 50 } = {}): IndexWriter {
  const groups = new Map<string, { entries: Entry[]; records: number; writing: boolean; timer?: NodeJS.Timeout }>();

  async function flush(id: string, key: CollectionKey): Promise<void> {
    const group = groups.get(id);
    if (!group || group.writing) return;
    clearTimeout(group.timer);
    const { entries } = group;
    if (entries.length === 0) {
      groups.delete(id);
      return;
    }
    group.entries = [];
    group.records = 0;
    group.writing = true;
    await writeGroup(vectors, key, entries);
    group.writing = false;
    if (group.records >= maxRecords) void flush(id, key);
    else group.timer = setTimeout(() => void flush(id, key), group.entries.length > 0 ? maxWaitMs : 0);
  }

  return {
    write: (key, records) =>
      new Promise<void>((resolve, reject) => {
        const id = JSON.stringify([key.tenant, key.namespace, key.model]);
        let group = groups.get(id);
        if (!group) {
          group = { entries: [], records: 0, writing: false };
          groups.set(id, group);
        }
        if (group.entries.length === 0 && !group.writing) {
          clearTimeout(group.timer);
          group.timer = setTimeout(() => void flush(id, key), maxWaitMs);
        }
        group.entries.push({ records, resolve, reject });
        group.records += records.length;
        if (group.records >= maxRecords) void flush(id, key);
      }),
  };
}

/** Adds, then looks: what the index says it took is not believed until it is seen there. Never rejects. */
async function writeGroup(vectors: VectorIndex, key: CollectionKey, entries: readonly Entry[]): Promise<void> {
  try {
    const records = entries.flatMap((entry) => entry.records);
    await vectors.addMissing(key, records);
    const present = await vectors.present(
      key,
      records.map((record) => record.chunkId),
    );
    for (const entry of entries) {
      const missing = entry.records.filter((record) => !present.has(record.chunkId)).length;
      if (missing === 0) entry.resolve();
      else entry.reject(new MemoryError('internal', `The index took ${missing} chunks and does not have them.`));
    }
  } catch (error) {
    for (const entry of entries) entry.reject(error);
  }
}
