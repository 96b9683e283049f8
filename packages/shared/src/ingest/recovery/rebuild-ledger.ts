import { Manifest } from '../../contracts/model/manifest.ts';
import type { QueuedJob } from '../../ports/job-queue.ts';
import type { IngestDeps } from '../deps.ts';
import { isOver } from '../jobs/job-retention.ts';
import { batchTime } from '../new-id.ts';
import { ModelSwitch } from '../reindex/namespace-models.ts';
import { restoreModel } from '../reindex/restore-model.ts';
import { readJson } from '../stored/artifacts.ts';
import { BatchRecord } from '../stored/batch-record.ts';
import { tenantsPrefix } from '../stored/blob-keys.ts';
import { isDamage } from '../stored/damage.ts';
import { Tombstone } from '../stored/tombstone.ts';
import { forEachAtOnce, type StoredFact, walkStore } from '../stored/walk-store.ts';
import { readDocumentFacts } from './document-facts.ts';
import { restoreDocument } from './restore-document.ts';

/** Documents that are read at the same time: enough to hide the wait for a disk or S3, little enough for memory. */
const atOnce = 32;
/** Steps that are handed out in one call. */
const stepsPerCall = 200;
const sayEvery = 1000;

export interface RebuildReport {
  readonly documents: number;
  /** Jobs that have not ended and were handed out again. */
  readonly open: number;
  /** Records that cannot be read, or contradict others: logged and left out. */
  readonly damaged: number;
}

/**
 * Fills an empty ledger with what the blob store tells: every document, version, job, batch. Jobs that have not ended
 * are handed out again, and go on from their last artifact.
 * @throws what blob store or ledger throw, and the signal's reason: the ledger is not whole then
 */
export async function rebuildLedger(deps: IngestDeps, signal: AbortSignal): Promise<RebuildReport> {
  const startedAt = deps.clock.now();
  let documents = 0;
  let open = 0;
  let damaged = 0;
  let steps: QueuedJob[] = [];
  const handOut = async (least: number) => {
    if (steps.length < least) return;
    const now = steps;
    steps = [];
    open += now.length;
    await deps.queue.add(now);
  };
  await forEachAtOnce(walkStore(deps.blobs, tenantsPrefix), atOnce, async (fact) => {
    signal.throwIfAborted();
    const restored = await restoreFact(deps, fact).catch((error: unknown) => {
      // One record that cannot be read must not keep all others away.
      if (!isDamage(error)) throw error;
      damaged += 1;
      deps.logger.error('a record in the blob store cannot be used', { kind: fact.kind, error });
    });
    if (!restored) return;
    documents += 1;
    // On the first start there is nothing, and nothing to worry about.
    if (documents === 1) deps.logger.warn('the ledger is rebuilt from the blob store');
    steps.push(...restored);
    if (documents % sayEvery === 0) deps.logger.info('rebuilding the ledger', { documents });
    await handOut(stepsPerCall);
  });
  await handOut(1);
  const level = documents + damaged > 0 ? 'warn' : 'info';
  deps.logger[level]('the ledger is whole', { documents, open, damaged, durationMs: deps.clock.now() - startedAt });
  return { documents, open, damaged };
}

/** The steps of a document that have to be handed out; undefined where it is no document. */
async function restoreFact(deps: IngestDeps, fact: StoredFact): Promise<readonly QueuedJob[] | undefined> {
  switch (fact.kind) {
    case 'document': {
      const manifest = await readJson(deps.blobs, fact.manifestKey, Manifest);
      const facts = manifest && (await readDocumentFacts(deps.blobs, manifest.tenant, manifest.documentId));
      return facts && (await restoreDocument(deps, facts)).steps;
    }
    case 'tombstone': {
      const tombstone = await readJson(deps.blobs, fact.key, Tombstone);
      const facts = tombstone && (await readDocumentFacts(deps.blobs, tombstone.tenant, tombstone.documentId));
      // Where the document came again it is met by itself.
      if (facts && facts.versions.length === 0) await restoreDocument(deps, facts);
      return undefined;
    }
    case 'batch': {
      const batch = await readJson(deps.blobs, fact.key, BatchRecord);
      if (batch) await restoreBatch(deps, batch);
      return undefined;
    }
    case 'model_switch': {
      const known = await readJson(deps.blobs, fact.key, ModelSwitch);
      if (known) await restoreModel(deps, known);
      return undefined;
    }
  }
}

/**
 * Has a batch, and the jobs of items that it could not accept, forgotten in time, and restores them where the ledger does
 * not know the batch, unless that time is over.
 * @returns whether it was restored
 */
export async function restoreBatch(
  deps: Pick<IngestDeps, 'ledger' | 'clock' | 'jobRetentionMs'>,
  { tenant, batchId, jobIds, rejected }: BatchRecord,
): Promise<boolean> {
  const { ledger } = deps;
  const atMs = batchTime(batchId);
  const rejectedIds = rejected.map((job) => job.id);
  await ledger.retire(tenant, 'job', rejectedIds, atMs);
  await ledger.retire(tenant, 'batch', [batchId], atMs);
  if (isOver(deps, atMs) || (await ledger.getBatch(tenant, batchId))) return false;
  for (const job of rejected) await ledger.restoreJob(job);
  await ledger.createBatch(tenant, batchId, jobIds, atMs);
  return true;
}
