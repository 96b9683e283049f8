import { z } from 'zod';
import { Timestamp } from '../../contracts/model/ids.ts';
import { Manifest } from '../../contracts/model/manifest.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import * as transitions from '../../ports/document-transitions.ts';
import type { JobRecord, LedgerDocument, VersionFacts } from '../../ports/ledger.ts';
import { sameJson } from '../../ports/same-json.ts';
import { type FinalState, finishJob, newJob } from '../jobs/job-record.ts';
import { documentFacts, nameOf, versionRecord } from '../new-manifest.ts';
import { hasNoDocument, sourceTypeOf } from '../next-jobs.ts';
import { factsOf, titleOf } from '../parse.ts';
import { extractionOf } from '../plain-text/extraction-of.ts';
import { readFetched, readJson } from '../stored/artifacts.ts';
import {
  committedKey,
  createdKey,
  documentPrefix,
  fetchedKey,
  manifestKey,
  originalKey,
  outcomeKey,
  runKey,
  type VersionRef,
} from '../stored/blob-keys.ts';
import { activeFromOf, type Commitment, keptCommitment, type Outcome, readOutcome } from '../stored/outcome.ts';
import { readRun } from '../stored/run-record.ts';
import { readTombstone, type Tombstone } from '../stored/tombstone.ts';
import { type PatchRecord, patchNumber, readPatch } from '../versions/patch-document.ts';

/** What the blob store tells of one version that was accepted and not deleted. */
export interface StoredVersion {
  readonly manifest: Manifest;
  /** Absent while the version has not ended. */
  readonly outcome: Outcome | undefined;
  /** How it was committed, by this run or one before; absent where it never was. */
  readonly committed: Commitment | undefined;
  /** The same of runs before only. */
  readonly kept: Commitment | undefined;
  readonly run: number;
  /** Of the webhook that a run after the first owes. */
  readonly deliveryId: string | undefined;
  readonly facts: VersionFacts;
}

/** What the blob store tells of a document: all that the ledger has to say of it follows from this. */
export interface DocumentFacts {
  readonly tenant: string;
  readonly documentId: string;
  /** Accepted and not deleted, ascending; aborted requests among them. */
  readonly versions: readonly StoredVersion[];
  /** The highest version number that was ever given out. */
  readonly latestVersion: number;
  readonly tombstone: Tombstone | undefined;
  /** Deleted ones of which something is left. */
  readonly buried: readonly number[];
  readonly patch: PatchRecord | undefined;
  /** When it was made, where the version that told is forgotten. */
  readonly createdAt: string | undefined;
}

/** Undefined where the blob store knows nothing of such a document. */
export async function readDocumentFacts(
  blobs: BlobStore,
  tenant: string,
  documentId: string,
): Promise<DocumentFacts | undefined> {
  const prefix = documentPrefix(tenant, documentId);
  const keys: string[] = [];
  for await (const key of blobs.list(prefix)) keys.push(key);
  const tombstone = await readTombstone(blobs, tenant, documentId);
  if (keys.length === 0 && !tombstone) return undefined;
  const present = new Set(keys);
  const numbers = versionsAmong(prefix, keys);
  const buried = tombstone?.upToVersion ?? 0;
  const versions: StoredVersion[] = [];
  for (const version of numbers) {
    if (version <= buried) continue;
    const stored = await readVersion(blobs, { tenant, documentId, version }, present);
    if (stored) versions.push(stored);
  }
  const lastPatch = keys.reduce((last, key) => Math.max(last, patchNumber(prefix, key) ?? 0), 0);
  return {
    tenant,
    documentId,
    versions,
    latestVersion: Math.max(buried, numbers.at(-1) ?? 0),
    tombstone,
    buried: numbers.filter((version) => version <= buried),
    patch: lastPatch > 0 ? await readPatch(blobs, tenant, documentId, lastPatch) : undefined,
    createdAt: present.has(createdKey(tenant, documentId)) ? await readCreatedAt(blobs, tenant, documentId) : undefined,
  };
}

const readCreatedAt = async (blobs: BlobStore, tenant: string, documentId: string) =>
  (await readJson(blobs, createdKey(tenant, documentId), z.object({ createdAt: Timestamp })))?.createdAt;

/** The version numbers among the keys below a document's prefix, ascending. */
export function versionsAmong(prefix: string, keys: readonly string[]): number[] {
  const numbers = new Set<number>();
  for (const key of keys) {
    const number = /^v(\d+)\//.exec(key.slice(prefix.length))?.[1];
    if (number !== undefined) numbers.add(Number(number));
  }
  return [...numbers].sort((a, b) => a - b);
}

/** Undefined where it was deleted meanwhile, or is only the rest of one. */
async function readVersion(
  blobs: BlobStore,
  ref: VersionRef,
  present: ReadonlySet<string>,
): Promise<StoredVersion | undefined> {
  const manifest = await readJson(blobs, manifestKey(ref), Manifest);
  if (!manifest) return undefined;
  const outcome = present.has(outcomeKey(ref)) ? await readOutcome(blobs, ref) : undefined;
  // Its request died before it claimed its bytes: nobody was told that it was accepted.
  const isUnclaimed = manifest.original?.key === originalKey(ref) && !present.has(originalKey(ref));
  if (!outcome && isUnclaimed) return undefined;
  const begun = present.has(runKey(ref)) ? await readRun(blobs, ref) : undefined;
  const kept = present.has(committedKey(ref)) ? await keptCommitment(blobs, ref) : undefined;
  const isCommitted = outcome?.state === 'succeeded' || outcome?.state === 'partial';
  const committed = isCommitted ? { activeFrom: activeFromOf(outcome), facts: outcome.facts } : kept;
  const original = !manifest.original && present.has(fetchedKey(ref)) ? await readFetched(blobs, ref) : undefined;
  const facts: VersionFacts = {
    ...(original ? { bytes: original.bytes, sha256: original.sha256 } : {}),
    ...(outcome?.facts ?? committed?.facts ?? (outcome ? await extractedFacts(blobs, ref, manifest) : {})),
  };
  return { manifest, outcome, committed, kept, run: begun?.run ?? 0, deliveryId: begun?.deliveryId, facts };
}

/** Of a version that was parsed and failed later. */
async function extractedFacts(blobs: BlobStore, ref: VersionRef, manifest: Manifest): Promise<VersionFacts> {
  const extraction = await extractionOf(blobs, ref, manifest);
  if (!extraction) return {};
  return { ...factsOf(extraction), title: titleOf(extraction, manifest.title, nameOf(manifest)) };
}

/**
 * A job as the blob store tells it, of a version that was not aborted. Open ones begin from their first step again, and
 * find what is done.
 */
export function jobOfVersion({ manifest, outcome, run, deliveryId }: StoredVersion): JobRecord {
  const fresh: JobRecord = { ...newJob(manifest), run, ...(deliveryId ? { deliveryId } : {}) };
  if (!outcome) return fresh;
  const ended = finishJob({ ...fresh, run: outcome.run }, outcome.state as FinalState, outcome.at, outcome);
  if (!outcome.job) return ended;
  const { comparison, ...shown } = outcome.job;
  return { ...ended, ...shown, ...(comparison ? { comparison } : {}) };
}

/**
 * The document's record as the blob store tells it, out of the one that the ledger has. What the ledger knows of
 * versions that are on their way stays. Undefined where the ledger is right, or there is nothing to record.
 * @param facts without aborted versions
 */
export function documentOfFacts(facts: DocumentFacts, current: LedgerDocument | undefined): LedgerDocument | undefined {
  let document = current;
  for (const { manifest, outcome, committed, facts: known } of facts.versions) {
    if (hasNoDocument(sourceTypeOf(manifest.source))) continue;
    const { version } = manifest;
    const added = transitions.addVersion(document, manifest, versionRecord(manifest), documentFacts(manifest));
    // Where it is not added it is there.
    document = transitions.describeVersion((added ?? document)!, version, known)!;
    if (committed) {
      document = transitions.activateVersion(document, version, committed.activeFrom).document ?? document;
    } else if (outcome) {
      document = transitions.failVersion(document, version, outcome.at) ?? document;
    }
  }
  // What is not kept any more, in a ledger that has lost that.
  const kept = new Set(facts.versions.map(({ manifest }) => manifest.version));
  for (const { version } of current?.versions ?? []) {
    if (!kept.has(version) && version <= facts.latestVersion)
      document = transitions.forgetVersion(document!, version) ?? document;
  }
  if (document && facts.createdAt && facts.createdAt < document.createdAt && !current) {
    document = { ...document, createdAt: facts.createdAt };
  }
  if (document && facts.patch) {
    document = transitions.patchDocument(document, facts.patch, later(facts.patch.at, document.updatedAt));
  }
  return sameJson(document, current) ? undefined : document;
}

/** Of two ISO-8601 times in UTC. */
const later = (...times: [string, string]): string => times.toSorted()[1]!;
