import { MemoryError } from '../../contracts/errors.ts';
import type { DocumentRow } from '../../ports/ledger.ts';
import type { CollectionKey } from '../../ports/vector-index.ts';
import type { StepDeps } from '../deps.ts';
import { indexRecords } from '../index/index-records.ts';
import type { VersionRef } from '../stored/blob-keys.ts';
import type { EmbeddedChunks } from '../stored/embedded-chunks.ts';
import { forEachAtOnce } from '../stored/walk-store.ts';
import { embedVersion } from './embed-version.ts';
import { openHistoryFill } from './fill-history.ts';

/** Documents that are embedded at the same time: enough to keep an endpoint busy with short ones. */
const atOnce = 8;

export type FillDeps = Pick<
  StepDeps,
  'blobs' | 'ledger' | 'metrics' | 'embedderFor' | 'vectors' | 'indexWriter' | 'logger' | 'quotas'
>;

/** What a fill tells, and what stops it. */
export interface FillWatch {
  readonly signal: AbortSignal;
  /** Before each document, with how many chunks the collection has of how many. May throw to stop there. */
  progress(done: number, total: number): Promise<void>;
  /** After each document of which anything was new. */
  stored(): Promise<void>;
}

/** A collection of a namespace's chunks by another model, which follows what is committed and deleted meanwhile. */
export interface Fill {
  /** The active documents, as of the last `catchUp`. */
  readonly rows: ReadonlyMap<string, DocumentRow>;
  /** Brings the collection up to what the ledger says at the call. What has changed since then is told by the ledger. */
  catchUp(): Promise<{ readonly generation: string }>;
  /** Whether the index holds as much as was written to it. */
  isWhole(): Promise<boolean>;
}

/**
 * Looks what a collection has of its namespace's active versions, to fill it with the rest. Whoever begins anew finds what is
 * there. One at a time for each collection.
 */
export async function openFill(deps: FillDeps, key: CollectionKey, watch: FillWatch): Promise<Fill> {
  const scope = { tenant: key.tenant, namespace: key.namespace };
  const rows = new Map<string, DocumentRow>();
  /** Chunks of each version that are in the collection, by document. */
  const there = new Map<string, Map<number, number>>();
  for (const { documentId, version, chunks } of (await deps.vectors.versions(key)).values())
    there.set(documentId, (there.get(documentId) ?? new Map<number, number>()).set(version, chunks));
  /** Versions that a retry has cut anew, as this fill has written them: their ids do not tell. */
  const recut = new Map<string, string>();
  let cursor: string | undefined;

  const history = await openHistoryFill(deps, key);
  const isActiveThere = ({ documentId, activeVersion, chunks, run = 0 }: DocumentRow) => {
    const versions = there.get(documentId);
    if (versions?.size !== 1 || versions.get(activeVersion) !== chunks) return false;
    return run === 0 || recut.get(documentId) === `${activeVersion}.${run}`;
  };

  async function forget(documentId: string, version?: number): Promise<void> {
    await deps.vectors.removeDocument(key, documentId, version);
    if (version === undefined) there.delete(documentId);
    else there.get(documentId)?.delete(version);
  }

  const isThere = (row: DocumentRow) => isActiveThere(row) && history.isThere(row);

  async function bringUp(row: DocumentRow): Promise<void> {
    if (!isActiveThere(row)) await bringUpActive(row);
    if (!history.isThere(row)) await history.bringUp(row, watch.signal);
    await watch.stored();
  }

  async function bringUpActive(row: DocumentRow): Promise<void> {
    const { documentId, activeVersion: version, run = 0 } = row;
    const ref = { tenant: key.tenant, documentId, version };
    const embedded = await embedVersion(deps, ref, key.model, watch.signal);
    if (!embedded) {
      // Deleted, or replaced and expired: the ledger tells of that next.
      if (!(await isActive(ref))) return;
      throw new MemoryError('internal', `The chunks of version ${version} of ${documentId} are not in the blob store.`);
    }
    await write(embedded, run > 0);
    if (run > 0) recut.set(documentId, `${version}.${run}`);
    for (const other of [...(there.get(documentId)?.keys() ?? [])])
      if (other !== version) await forget(documentId, other);
    there.set(documentId, new Map([[version, embedded.set.chunks.length]]));
    // Deleted or replaced while it was written: what came after it did not know of these records.
    if (!(await isActive(ref))) await forget(documentId, version);
  }

  async function write(embedded: EmbeddedChunks, isRecut: boolean): Promise<void> {
    const { documentId, version } = embedded.ref;
    const fromIndex = embedded.set.chunks.length;
    if (isRecut) await deps.vectors.removeDocument(key, documentId, { version, fromIndex });
    for await (const { records } of indexRecords(deps.blobs, embedded)) {
      watch.signal.throwIfAborted();
      if (isRecut) await deps.vectors.replace(key, records);
      await deps.indexWriter.write(key, records);
    }
  }

  const isActive = async ({ tenant, documentId, version }: VersionRef) =>
    (await deps.ledger.getDocument(tenant, documentId))?.activeVersion === version;

  return {
    rows,
    async catchUp() {
      const changes = await deps.ledger.documentChanges(scope, cursor);
      if (changes.reset) rows.clear();
      for (const row of changes.rows) {
        if (row.activeVersion > 0) rows.set(row.documentId, row);
        else rows.delete(row.documentId);
      }
      for (const documentId of [...there.keys()]) if (!rows.has(documentId)) await forget(documentId);
      const lacking = [...rows.values()].filter((row) => !isThere(row));
      let total = 0;
      for (const { chunks } of rows.values()) total += chunks;
      let done = total - lacking.reduce((sum, { chunks }) => sum + chunks, 0);
      // The others finish what they are at: nothing of this attempt is still being written once it is over.
      const faults: unknown[] = [];
      await forEachAtOnce(each(lacking), atOnce, async (row) => {
        if (faults.length > 0) return;
        try {
          await watch.progress(done, total);
          await bringUp(row);
          done += row.chunks;
        } catch (error) {
          faults.push(error);
        }
      });
      if (faults.length > 0) throw faults[0];
      await watch.progress(total, total);
      // Only now: what was not brought up is told of again.
      cursor = changes.cursor;
      return { generation: changes.generation };
    },
    async isWhole() {
      let expected = 0;
      for (const versions of there.values()) for (const chunks of versions.values()) expected += chunks;
      return (await deps.vectors.count(key)) === expected;
    },
  };
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
