import { MemoryError, toMemoryError } from '../../contracts/errors.ts';
import type { CollectionKey, VectorIndex, VectorRecord } from '../../ports/vector-index.ts';

/** Adds records to the index and vouches for them: after `write` has returned they are there. */
export interface IndexWriter {
  write(key: CollectionKey, records: readonly VectorRecord[]): Promise<void>;
}

interface Entry {
  readonly records: readonly VectorRecord[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Group {
  entries: Entry[];
  records: number;
  writing: boolean;
  timer?: NodeJS.Timeout;
  /** When the last group was closed, and how long the next one gathers. */
  closedAt: number;
  waitMs: number;
}

/** Fewer documents a second than this come too seldom to wait for. */
const busyPerSecond = 20;

/**
 * Gathers the chunks of many documents into one call. The index takes 1,000 records in a call as fast as 20, and
 * single writes at the same time only slow each other down: so there is one writer a collection, and what comes
 * while it writes goes with the next group. A lone document hardly waits; the more come, the longer a group gathers.
 * @param wantedEntries documents that make a group worth a call: the index takes 100 in the time of three calls with one
 * @param maxRecords a group is written at once when it has this many
 * @param minWaitMs how long the first of a group waits for company
 * @param maxWaitMs the same, where many documents come
 */
export function createIndexWriter(
  vectors: VectorIndex,
  { wantedEntries = 100, maxRecords = 250, minWaitMs = 20, maxWaitMs = 500 } = {},
): IndexWriter {
  const groups = new Map<string, Group>();

  async function flush(id: string, key: CollectionKey, group: Group): Promise<void> {
    if (group.writing) return;
    clearTimeout(group.timer);
    const { entries } = group;
    if (entries.length === 0) {
      // Nothing came while the last group was written: the collection rests.
      groups.delete(id);
      return;
    }
    const now = performance.now();
    // The first one opened the group: it says nothing of how soon others follow.
    const perMs = (entries.length - 1) / Math.max(1, now - group.closedAt);
    group.waitMs =
      perMs * 1000 < busyPerSecond ? minWaitMs : Math.max(minWaitMs, Math.min(maxWaitMs, wantedEntries / perMs));
    group.closedAt = now;
    group.entries = [];
    group.records = 0;
    group.writing = true;
    await writeGroup(vectors, key, entries);
    group.writing = false;
    if (group.records >= maxRecords) return void flush(id, key, group);
    group.timer = setTimeout(() => void flush(id, key, group), group.waitMs);
    // While nobody waits for it, it need not hold the process.
    if (group.records === 0) group.timer.unref();
  }

  return {
    write: (key, records) =>
      new Promise<void>((resolve, reject) => {
        const id = JSON.stringify([key.tenant, key.namespace, key.model, key.history ?? false]);
        let group = groups.get(id);
        if (!group) {
          const opened: Group = {
            entries: [],
            records: 0,
            writing: false,
            closedAt: performance.now(),
            waitMs: minWaitMs,
          };
          opened.timer = setTimeout(() => void flush(id, key, opened), minWaitMs);
          groups.set(id, opened);
          group = opened;
        }
        group.entries.push({ records, resolve, reject });
        group.timer?.ref();
        group.records += records.length;
        if (group.records >= maxRecords) void flush(id, key, group);
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
    const [only, ...others] = entries;
    // Records that the index refuses are the fault of one document: the others do not fail with it.
    if (others.length > 0 && toMemoryError(error).retry.kind !== 'wait') {
      for (const entry of entries) await writeGroup(vectors, key, [entry]);
    } else {
      only?.reject(error);
      for (const entry of others) entry.reject(error);
    }
  }
}
