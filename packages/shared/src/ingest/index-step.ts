import { MemoryError } from '../contracts/errors.ts';
import type { StepPayload } from '../contracts/jobs.ts';
import type { ChunkSet } from '../contracts/model/chunk.ts';
import type { Extraction } from '../contracts/model/extraction.ts';
import type { CollectionKey } from '../ports/vector-index.ts';
import type { StepDeps } from './deps.ts';
import { endDeleted, endedRecord, endJob, followOutcome } from './finish.ts';
import { indexRecords } from './index/index-records.ts';
import { preparePostings, restorePostings } from './index/postings.ts';
import { isOpen } from './jobs/job-record.ts';
import { readOcrPages, unreadablePages } from './ocr.ts';
import { factsOf } from './parse.ts';
import { extractionOf } from './plain-text/extraction-of.ts';
import { askReembed } from './reindex/ask-reembed.ts';
import { collectionsOf, modelOf } from './reindex/namespace-models.ts';
import { removeDocument } from './remove.ts';
import type { Step, StepContext, StepResult } from './step.ts';
import { readChunkSet } from './stored/artifacts.ts';
import { readEmbedded } from './stored/embedded-chunks.ts';
import { activeFromOf, committedFrom, keptActiveFrom, removeOutcome, writeOutcomeOnce } from './stored/outcome.ts';
import { isDeleted } from './stored/tombstone.ts';
import { removeVersionBlobs } from './versions/expire.ts';
import { retireVersion, retireVersions } from './versions/retire.ts';

/**
 * Commits a version: writes its chunks, sees them in the index, records that durably, then flips the document to it,
 * then moves the version before to history, and only then ends the job: whoever repeats this after a crash finishes it.
 * A search never sees a half-written version.
 */
export const indexStep: Step = async (deps, context) => {
  const { payload } = context;
  const { tenant, namespace } = payload;
  const model = await modelOf(deps, context.manifest);
  const embedded = await readEmbedded(deps.blobs, payload, model);
  if (!embedded) {
    if (!(await readChunkSet(deps.blobs, payload)))
      throw new MemoryError('internal', 'The document was not embedded before it was to be indexed.');
    throw await askReembed(deps, payload, model);
  }
  const { set } = embedded;
  const key: CollectionKey = { tenant, namespace, model };
  // A retry may have read more pages: under the same ids there may be other text now, and fewer chunks.
  if (payload.run > 0) await deps.vectors.removeDocument(key, payload.documentId, beyond(payload, set.chunks.length));
  for await (const { from, records } of indexRecords(deps.blobs, embedded)) {
    await context.progress(from, set.chunks.length);
    if (payload.run > 0) await deps.vectors.replace(key, records);
    await deps.indexWriter.write(key, records);
    await context.checkpoint();
  }
  return commit(deps, context, set);
};

/** A retry may have cut the text anew, into as many chunks: whoever follows the documents is told. */
const ofRun = ({ run }: StepPayload) => (run > 0 ? { run } : {});

const beyond = ({ version }: StepPayload, fromIndex: number) => ({ version, fromIndex });

async function commit(deps: StepDeps, context: StepContext, set: ChunkSet): Promise<StepResult> {
  const { payload } = context;
  context.signal.throwIfAborted();
  // A version that was accepted while its document was being deleted: the ledger may not have known of either.
  if (payload.version > 1 && (await isDeleted(deps.blobs, payload))) return forgetDeleted(deps, payload);
  const extraction = await extractionOf(deps.blobs, payload, context.manifest);
  if (!extraction) throw new MemoryError('internal', 'The document was not parsed before it was to be indexed.');
  const warnings = await warningsOf(deps, payload, extraction);
  const facts = { ...factsOf(extraction), title: set.title, chunks: set.chunks.length, ...ofRun(payload) };
  const postings = await preparePostings(deps.lexical, payload, set, set.title);
  const endedAt = new Date(deps.clock.now()).toISOString();
  const activeFrom = payload.run > 0 ? await keptActiveFrom(deps.blobs, payload) : undefined;
  const outcome = await writeOutcomeOnce(deps.blobs, payload, {
    state: warnings.length > 0 ? 'partial' : 'succeeded',
    run: payload.run,
    at: endedAt,
    facts,
    ...endedRecord(context.job, warnings.length > 0 ? 'partial' : 'succeeded', endedAt, { warnings }),
    ...(activeFrom === undefined ? {} : { activeFrom }),
  });
  if (outcome.state !== 'succeeded' && outcome.state !== 'partial') {
    // A cancel was faster.
    await removeRecords(deps, payload);
    await followOutcome(deps, payload, outcome, context.updateJob);
    return { ended: true };
  }
  const { documentId, version } = payload;
  const at = activeFromOf(outcome);
  const flip = await deps.ledger.activateVersion(payload, documentId, version, at, facts, postings, set.model);
  switch (flip.outcome) {
    case 'activated':
    case 'replaced':
      await followTitle(deps, payload, set.title, flip.title ?? set.title);
      // Of a version that is replaced already, both its own chunks and those of the one before it may be left.
      if (version > 1 || flip.outcome === 'replaced') {
        const before = flip.outcome === 'replaced' ? version + 1 : version;
        await retireVersions(deps, payload, { from: flip.previous, before });
      }
      await followOutcome(deps, payload, outcome, context.updateJob);
      return { ended: true };
    case 'other_model':
      // The namespace has got another model since this began: what was written lies where no search looks any more.
      throw await askReembed(deps, payload, await modelOf(deps, context.manifest));
    case 'gone':
      if (await isDeleted(deps.blobs, payload)) return forgetDeleted(deps, payload);
      // Only a tombstone is a delete. Without one the ledger has lost what it knew; the outcome stands until it is rebuilt.
      throw new MemoryError('dependency_unavailable', `The ledger does not know version ${version} of ${documentId}.`);
    case 'superseded': {
      // Written well, and yet not to be found: the durable outcome is corrected before the ledger says so.
      await removeOutcome(deps.blobs, payload);
      await removeRecords(deps, payload);
      const message = 'A newer version was indexed first.';
      const { job } = context;
      await endJob(deps, payload, 'cancelled', { error: { code: 'cancelled', message }, job }, context.updateJob);
      // The newer one's activation may have been before this version was known to end.
      await retireVersion(deps, payload);
      return { ended: true };
    }
  }
}

/**
 * Words find a version by what its document is called: also where that is another title than the one that the version
 * was embedded with, since somebody has changed it while the version was on its way, or before it was tried again.
 * @param written the title whose words are there
 */
async function followTitle(deps: StepDeps, payload: StepPayload, written: string, title: string): Promise<void> {
  const { documentId, version: activeVersion } = payload;
  for (let [there, wanted] = [written, title]; there !== wanted; ) {
    await restorePostings(deps, payload, { documentId, activeVersion, title: wanted });
    there = wanted;
    // It may have been changed since, with its words written before these.
    wanted = (await deps.ledger.getDocument(payload.tenant, documentId))?.title ?? there;
  }
}

/** Takes everything away that a version has written whose document is deleted. */
async function forgetDeleted(deps: StepDeps, payload: StepPayload): Promise<StepResult> {
  // First the blobs, and with them the outcome: what was committed would stay.
  await removeVersionBlobs(deps, payload);
  await removeRecords(deps, payload);
  await endDeleted(deps, payload);
  const document = await deps.ledger.getDocument(payload.tenant, payload.documentId);
  // The ledger took it for a new document: nothing of it is to be seen.
  if (document && document.latestVersion <= payload.version && (await isDeleted(deps.blobs, payload)))
    await removeDocument(deps, payload.tenant, payload.documentId);
  return { ended: true };
}

/**
 * Takes back what a version has in the index, since it will not be the active one. What was committed stays, also where
 * the ledger has not heard of it yet.
 */
export async function removeRecords(
  deps: Pick<StepDeps, 'blobs' | 'vectors' | 'ledger'>,
  ref: StepPayload,
): Promise<void> {
  const { tenant, namespace, documentId, version } = ref;
  if (await committedFrom(deps.blobs, ref)) return;
  const document = await deps.ledger.getDocument(tenant, documentId);
  if (document?.versions.some((known) => known.version === version && known.state === 'active')) return;
  for (const key of await collectionsOf(deps, { tenant, namespace }))
    await deps.vectors.removeDocument(key, documentId, version);
}

/**
 * What a frozen writer has written when it was no longer its turn: where the job has ended meanwhile, nobody else will
 * take that back. A version that is active keeps its records, which are the same.
 */
export async function takeBackLateWrites(deps: StepDeps, payload: StepPayload): Promise<void> {
  const job = await deps.ledger.getJob(payload.tenant, payload.jobId);
  if (!job || isOpen(job, payload.run)) return;
  await removeRecords(deps, payload);
  await retireVersion(deps, payload);
}

async function warningsOf(deps: StepDeps, payload: StepPayload, extraction: Extraction) {
  if (!extraction.pages.some((page) => page.needsOcr)) return [];
  const unread = unreadablePages(await readOcrPages(deps.blobs, payload, extraction));
  if (unread.length === 0) return [];
  const all = extraction.pages.length;
  return [{ code: 'pages_unreadable', message: `${all - unread.length} of ${all} pages were read.` }, ...unread];
}
