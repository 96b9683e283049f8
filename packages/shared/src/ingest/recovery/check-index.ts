import { MemoryError } from '../../contracts/errors.ts';
import type { Scope } from '../../contracts/model/ids.ts';
import { isTerminal } from '../../contracts/model/job.ts';
import type { DocumentRow } from '../../ports/ledger.ts';
import type { CollectionKey, IndexedVersion } from '../../ports/vector-index.ts';
import { indexRecords } from '../index/index-records.ts';
import { createIndexWriter, type IndexWriter } from '../index/index-writer.ts';
import { askReembed } from '../reindex/ask-reembed.ts';
import { readChunkSet, readJson } from '../stored/artifacts.ts';
import { replacedPrefix, type VersionRef } from '../stored/blob-keys.ts';
import { isDamage } from '../stored/damage.ts';
import { readEmbedded } from '../stored/embedded-chunks.ts';
import { forEachAtOnce } from '../stored/walk-store.ts';
import { historyOf, ReplacedVersion, retireVersion } from '../versions/retire.ts';
import type { ReconcileDeps } from './compare-document.ts';
import type { Findings } from './findings.ts';

/**
 * Documents whose vectors are read at the same time: as many of one chunk as make a group for the index. A long one
 * holds some hundred vectors in memory.
 */
const atOnce = 100;
/** Of former versions, each of which asks the index twice by itself. */
const formerAtOnce = 8;
/** How long a group waits for company: who reads waits for nothing but the last group. */
const gatherMs = 5;

export interface IndexScope {
  readonly tenant?: string | undefined;
  /**
   * Reads through every collection. Otherwise only those are looked into that have another number of records than there
   * are chunks, which is one cheap call a namespace.
   */
  readonly exact: boolean;
}

/**
 * Compares the index with the ledger and puts it right from the artifacts: no text is embedded anew. Chunks of active
 * versions that are missing are added; records of versions that are neither active nor on their way are removed, or
 * moved to history where they belong. While a namespace lacks chunks, its searches say so.
 */
export async function checkIndex(deps: ReconcileDeps, findings: Findings, scope: IndexScope): Promise<void> {
  const writer = createRefiller(deps);
  const tenants = scope.tenant === undefined ? await deps.ledger.tenants() : [scope.tenant];
  let foundLoss = false;
  for (const tenant of tenants) {
    for (const { namespace } of await deps.ledger.namespaces(tenant)) {
      if (await checkNamespace(deps, findings, writer, { tenant, namespace }, scope.exact)) foundLoss = true;
    }
  }
  // Whoever lost a collection has lost the one beside it as well.
  if (foundLoss || scope.exact) await checkHistory(deps, findings, scope.tenant);
}

const createRefiller = ({ vectors }: ReconcileDeps): IndexWriter =>
  createIndexWriter(vectors, { minWaitMs: gatherMs, maxWaitMs: gatherMs });

/** @returns whether chunks were missing */
async function checkNamespace(
  deps: ReconcileDeps,
  findings: Findings,
  writer: IndexWriter,
  scope: Scope,
  exact: boolean,
): Promise<boolean> {
  const { rows, isMarked, model } = await activeRows(deps, scope);
  if (model === undefined) return false;
  const key: CollectionKey = { ...scope, model };
  findings.checked += 1;
  const expected = chunksOf(rows);
  const count = await deps.vectors.count(key);
  if (count === expected && !exact && !isMarked) return false;
  // What is on its way has records too: only a lack is sure to be one.
  if (count > expected && !exact && !isMarked && (await deps.ledger.openJobs(1)).length > 0) return false;
  if (count < expected) await deps.ledger.markIndex(key, 'incomplete');
  const indexed = await deps.vectors.versions(key);
  const lacking = [...rows.values()].filter((row) => (indexed.get(nameOf(row))?.chunks ?? 0) < row.chunks);
  if (lacking.length > 0) await deps.ledger.markIndex(key, 'incomplete');
  await forEachAtOnce(each(lacking), atOnce, async (row) => {
    const missing = row.chunks - (indexed.get(nameOf(row))?.chunks ?? 0);
    const refilled = await refill(deps, writer, key, row);
    if (refilled !== 'not active any more')
      findings.found(refilled, missing, refilled === 'missing_chunks' ? missing : 0);
  });
  for (const [name, version] of indexed) {
    const row = rows.get(version.documentId);
    if (!row || nameOf(row) !== name) await removeOrphan(deps, findings, writer, key, version);
  }
  if (lacking.length > 0 || isMarked || count < expected) await unmark(deps, key);
  return lacking.length > 0;
}

const nameOf = (row: DocumentRow) => `${row.documentId}@${row.activeVersion}`;

async function activeRows(deps: ReconcileDeps, scope: Scope) {
  const { rows, indexIncomplete, embeddingModel: model } = await deps.ledger.documentChanges(scope, undefined);
  const active = rows.filter((row) => row.activeVersion > 0);
  return { rows: new Map(active.map((row) => [row.documentId, row])), isMarked: indexIncomplete === true, model };
}

function chunksOf(rows: ReadonlyMap<string, DocumentRow>): number {
  let chunks = 0;
  for (const row of rows.values()) chunks += row.chunks;
  return chunks;
}

/** Says that the namespace is whole again, where that is so by now. */
async function unmark(deps: ReconcileDeps, key: CollectionKey): Promise<void> {
  const { rows, model } = await activeRows(deps, key);
  // It has got another one meanwhile: the next look is at that one's collection.
  if (model !== key.model) return;
  const indexed = await deps.vectors.versions(key);
  const lacking = [...rows.values()].filter((row) => (indexed.get(nameOf(row))?.chunks ?? 0) < row.chunks);
  if (lacking.length === 0) await deps.ledger.markIndex(key, 'whole');
}

/** Adds what the index lacks of an active version. Returns what was wrong. */
async function refill(
  deps: ReconcileDeps,
  writer: IndexWriter,
  key: CollectionKey,
  row: DocumentRow,
): Promise<'missing_chunks' | 'vectors_missing' | 'not active any more'> {
  const { documentId, activeVersion: version } = row;
  const ref = { tenant: key.tenant, documentId, version };
  try {
    const embedded = await readEmbedded(deps.blobs, ref, key.model);
    if (!embedded) {
      // A rebuilt ledger may have it active before it was embedded by the model that the namespace has got meanwhile.
      await reembed(deps, key, ref);
      throw new MemoryError('internal', `Version ${version} has no vectors of ${key.model}.`);
    }
    const { set } = embedded;
    for await (const { records } of indexRecords(deps.blobs, embedded)) await writer.write(key, records);
    // A retry that was cut off may have cut anew: what is shown is what is there.
    if (set.chunks.length !== row.chunks) {
      await deps.ledger.describeVersion(key, documentId, version, { chunks: set.chunks.length });
    }
  } catch (error) {
    if (!(error instanceof MemoryError) || error.code !== 'internal') throw error;
    if (!(await isActive(deps, key.tenant, documentId, version))) return 'not active any more';
    deps.logger.error('chunks are missing in the index and cannot be brought back now', { documentId, version, error });
    return 'vectors_missing';
  }
  if (await isActive(deps, key.tenant, documentId, version)) return 'missing_chunks';
  // Deleted or replaced while it was written: what came after it did not know of these records.
  await deps.vectors.removeDocument(key, documentId, version);
  return 'not active any more';
}

/** Has a version embedded that has chunks: the next comparison finds its vectors. */
async function reembed(deps: ReconcileDeps, { namespace, model }: CollectionKey, ref: VersionRef): Promise<void> {
  const document = await deps.ledger.getDocument(ref.tenant, ref.documentId);
  const known = document?.versions.find(({ version }) => version === ref.version);
  if (known && (await readChunkSet(deps.blobs, ref)))
    await askReembed(deps, { ...ref, namespace, jobId: known.jobId }, model);
}

async function isActive(deps: ReconcileDeps, tenant: string, documentId: string, version: number): Promise<boolean> {
  return (await deps.ledger.getDocument(tenant, documentId))?.activeVersion === version;
}

/** Removes the records of a version that no search may find, unless its step is at work. */
async function removeOrphan(
  deps: ReconcileDeps,
  findings: Findings,
  writer: IndexWriter,
  key: CollectionKey,
  { documentId, version, chunks }: IndexedVersion,
): Promise<void> {
  const { tenant, namespace } = key;
  const document = await deps.ledger.getDocument(tenant, documentId);
  const known = document?.namespace === namespace && document.versions.find((one) => one.version === version);
  if (known) {
    if (document.activeVersion === version) return;
    const job = await deps.ledger.getJob(tenant, known.jobId);
    if (job && !isTerminal(job.state)) return;
    if (known.state === 'active') {
      await retireVersion({ ...deps, indexWriter: writer }, { tenant, namespace, documentId, version });
      return findings.found('not_retired', chunks);
    }
  }
  await deps.vectors.removeDocument(key, documentId, version);
  findings.found('orphan_chunks', chunks);
}

/** Adds what history lacks of the versions that are still kept. */
async function checkHistory(deps: ReconcileDeps, findings: Findings, tenant: string | undefined): Promise<void> {
  const writer = createRefiller(deps);
  await forEachAtOnce(deps.blobs.list(replacedPrefix), formerAtOnce, async (marker) => {
    const ref = await readJson(deps.blobs, marker, ReplacedVersion);
    if (!ref || (tenant !== undefined && ref.tenant !== tenant)) return;
    findings.checked += 1;
    const model = await deps.ledger.embeddingModelOf(ref);
    const set = await historyOf(deps.blobs, ref, model).then(
      (embedded) => embedded?.set,
      (error: unknown) => {
        if (!isDamage(error)) throw error;
        deps.logger.error('the chunks of a former version cannot be read', { documentId: ref.documentId, error });
        findings.found('damaged', 1, 0);
      },
    );
    if (!set) return;
    const key: CollectionKey = { tenant: ref.tenant, namespace: ref.namespace, model: set.model, history: true };
    const before = await deps.vectors.countDocument(key, ref.documentId, ref.version);
    if (before >= set.chunks.length) return;
    const now = await retireVersion({ ...deps, indexWriter: writer }, ref);
    findings.found('history_missing', Math.max(0, now - before));
  });
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
