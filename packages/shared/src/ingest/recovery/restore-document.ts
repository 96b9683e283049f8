import { isTerminal } from '../../contracts/model/job.ts';
import type { QueuedJob } from '../../ports/job-queue.ts';
import type { JobRecord, LedgerDocument } from '../../ports/ledger.ts';
import type { IngestDeps } from '../deps.ts';
import { followOutcome } from '../finish.ts';
import { retryRecord } from '../jobs/job-record.ts';
import { isOver } from '../jobs/job-retention.ts';
import { currentStep, hasNoDocument, isManyDocuments, sourceTypeOf } from '../next-jobs.ts';
import { restoreSwitches } from '../reindex/restore-model.ts';
import { deletingKey, pendingKey } from '../stored/blob-keys.ts';
import type { Outcome } from '../stored/outcome.ts';
import { markPending } from '../stored/pending.ts';
import type { Tombstone } from '../stored/tombstone.ts';
import { type DocumentFacts, documentOfFacts, jobOfVersion, type StoredVersion } from './document-facts.ts';
import type { DriftKind } from './findings.ts';

/** What of a document was out of step, by kind, and the steps that have to be handed out again. */
export interface Restored {
  readonly drift: readonly DriftKind[];
  readonly steps: readonly QueuedJob[];
  /** The ledger had another title: words find the document by that one still. */
  readonly retitled: boolean;
}

/**
 * Makes the ledger say of a document what the blob store tells. Repeating it changes nothing.
 * @param youngerThanMs versions without a job that are younger are left alone: their request may be under way
 */
export async function restoreDocument(deps: IngestDeps, facts: DocumentFacts, youngerThanMs = 0): Promise<Restored> {
  const { ledger } = deps;
  const { tenant, documentId, tombstone } = facts;
  const drift: DriftKind[] = [];
  const steps: QueuedJob[] = [];
  if (tombstone) drift.push(...(await restoreDelete(deps, tombstone)));
  /** Not for the ledger: their request is under way, or was never accepted. */
  const underWay = new Set<number>();
  const known = await jobsByIds(deps, tenant, facts.versions);
  for (const { manifest, outcome } of facts.versions) {
    if (outcome?.state === 'aborted') {
      underWay.add(manifest.version);
      if (await ledger.withdrawVersion(manifest, documentId, manifest.version, manifest.jobId))
        drift.push('aborted_left');
      continue;
    }
    const young = deps.clock.now() - Date.parse(manifest.createdAt) < youngerThanMs;
    if (!known.has(manifest.jobId) && !outcome && young) underWay.add(manifest.version);
  }
  const settled = { ...facts, versions: facts.versions.filter(({ manifest }) => !underWay.has(manifest.version)) };
  const last = settled.versions.findLast(({ manifest }) => !hasNoDocument(sourceTypeOf(manifest.source)));
  let changed = false;
  let retitled = false;
  if (last) {
    const { namespace, embeddingModel } = last.manifest;
    const versions = settled.versions.map((version) => shown(version, known.get(version.manifest.jobId)));
    let gone: string[] = [];
    changed = await ledger.reviseDocument({ tenant, namespace }, documentId, embeddingModel, (current) => {
      const next = documentOfFacts({ ...settled, versions }, current);
      gone = next ? jobsOnlyIn(current, next) : [];
      retitled = current !== undefined && next !== undefined && current.title !== next.title;
      return next;
    });
    // Of versions that have expired, in a ledger that has lost that.
    if (gone.length > 0) await ledger.retire(tenant, 'job', gone, deps.clock.now());
  }
  if (await restoreSwitches(deps, settled.versions)) drift.push('model_differs');
  // A job succeeds once a search can find its version, not before.
  for (const version of settled.versions) {
    const { kind, job } = await restoreJob(deps, version, known.get(version.manifest.jobId));
    if (kind) drift.push(kind);
    if (kind && job && !isTerminal(job.state)) steps.push(currentStep(job));
    // No delete and no newer version ends their time.
    if (job && isTerminal(job.state) && isManyDocuments(job.sourceType)) {
      await ledger.retire(tenant, 'job', [job.id], Date.parse(job.updatedAt));
    }
  }
  if (changed && drift.length === 0) drift.push('document_differs');
  // Numbers that went to what is deleted, aborted, or many documents are not given out again.
  if ((last?.manifest.version ?? 0) < facts.latestVersion) {
    await ledger.countVersion(tenant, documentId, facts.latestVersion);
  }
  return { drift, steps, retitled };
}

function jobsOnlyIn(current: LedgerDocument | undefined, next: LedgerDocument): string[] {
  const kept = new Set(next.versions.map(({ jobId }) => jobId));
  return (current?.versions ?? []).map(({ jobId }) => jobId).filter((jobId) => !kept.has(jobId));
}

async function jobsByIds(deps: IngestDeps, tenant: string, versions: readonly StoredVersion[]) {
  const jobs = await deps.ledger.getJobs(
    tenant,
    versions.map(({ manifest }) => manifest.jobId),
  );
  return new Map(jobs.map((job) => [job.id, job]));
}

async function restoreJob(
  deps: IngestDeps,
  version: StoredVersion,
  known: JobRecord | undefined,
): Promise<{ kind?: DriftKind; job: JobRecord | undefined }> {
  const { ledger } = deps;
  const { manifest, outcome } = version;
  if (!outcome && !(known && isTerminal(known.state)) && !(await deps.blobs.has(pendingKey(manifest.jobId)))) {
    await markPending(deps.blobs, manifest);
  }
  if (manifest.parentJobId && !known) await ledger.addChild(manifest.tenant, manifest.parentJobId, manifest.jobId);
  if (!known) {
    const job = jobOfVersion(version);
    await ledger.restoreJob(job);
    return { kind: 'job_missing', job };
  }
  if (outcome && !isTerminal(known.state) && outcome.run >= known.run) {
    // Between a commit and its flip the step has more to do: whoever repeats it finishes that.
    if (isCommit(outcome)) return { kind: 'end_unrecorded', job: known };
    return { kind: 'end_unrecorded', job: await followOutcome(deps, manifest, outcome) };
  }
  if (!outcome && isTerminal(known.state) && version.run > known.run && known.state !== 'succeeded') {
    const at = new Date(deps.clock.now()).toISOString();
    const job = await ledger.updateJob(manifest.tenant, known.id, (current) =>
      isTerminal(current.state) && current.run < version.run ? retryRecord(current, at) : undefined,
    );
    return { kind: 'retry_unrecorded', job };
  }
  return { job: known };
}

const isCommit = ({ state }: Outcome): boolean => state === 'succeeded' || state === 'partial';

/** As far as it may be shown: a version whose step has yet to flip it was committed by earlier runs only. */
function shown(version: StoredVersion, known: JobRecord | undefined): StoredVersion {
  const { outcome } = version;
  if (!known || isTerminal(known.state) || !outcome || !isCommit(outcome)) return version;
  return { ...version, outcome: undefined, committed: version.kept };
}

/** A document that was deleted, and that the ledger still has. What came after the delete is not touched. */
async function restoreDelete(deps: IngestDeps, tombstone: Tombstone): Promise<DriftKind[]> {
  const { tenant, documentId } = tombstone;
  const drift: DriftKind[] = [];
  const document = await deps.ledger.getDocument(tenant, documentId);
  // One that is not verified yet is gone on with by whoever finishes deletes.
  const isUnderWay = await deps.blobs.has(deletingKey(tenant, documentId));
  if (!isUnderWay && document?.versions.some((version) => version.version <= tombstone.upToVersion)) {
    await deps.ledger.removeDocument(tenant, documentId);
    drift.push('delete_unfinished');
  }
  const jobIds = tombstone.jobs.map((job) => job.id);
  const known = new Set((await deps.ledger.getJobs(tenant, jobIds)).map((job) => job.id));
  // What is over and not known was forgotten, as is right.
  const told = tombstone.jobs
    .map(({ deletedAt = tombstone.at, ...job }) => ({ job, atMs: Date.parse(deletedAt) }))
    .filter(({ job, atMs }) => known.has(job.id) || !isOver(deps, atMs));
  for (const [atMs, some] of Map.groupBy(told, (one) => one.atMs)) {
    const ids = some.map(({ job }) => job.id);
    await deps.ledger.retire(tenant, 'job', ids, atMs);
  }
  for (const { job } of told) {
    if (known.has(job.id)) continue;
    await deps.ledger.restoreJob(job);
    drift.push('job_missing');
  }
  return drift;
}
