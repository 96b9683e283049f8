import { MemoryError } from '../../contracts/errors.ts';
import type { ChunkSet } from '../../contracts/model/chunk.ts';
import type { Manifest } from '../../contracts/model/manifest.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { accept, type StoredBytes } from '../accept.ts';
import { chunkIdOf } from '../chunk/chunk-id.ts';
import type { StepDeps } from '../deps.ts';
import { findBegun, finishAccept } from '../idempotency/accept-once.ts';
import { childJobId } from '../new-id.ts';
import type { StepContext } from '../step.ts';
import { encodeJson, vectorBatchSize } from '../stored/artifacts.ts';
import { chunksKey, extractionKey, ocrPageKey, tokensKey, type VersionRef, vectorsKey } from '../stored/blob-keys.ts';
import { readOutcome } from '../stored/outcome.ts';
import type { ArchivedVersion } from './read-archive.ts';

type Archived = Omit<ArchivedVersion<unknown>, 'kept'> & {
  readonly original: StoredBytes;
  readonly target: ArchivedTarget;
};

/** The job that a document of an archive has, or gets. */
export interface ArchivedTarget {
  readonly jobId: string;
  /** Its record, where it was accepted. */
  readonly job?: JobRecord | undefined;
  /** What was claimed by a process that died before it could record the job. */
  readonly begun?: Manifest | undefined;
}

/**
 * The same job each time, so that an import that is gone on with makes nothing twice. An accept that was taken back
 * stays so, under its own id.
 */
export async function archivedTarget(
  deps: StepDeps,
  { tenant, jobId: parentJobId }: { readonly tenant: string; readonly jobId: string },
  documentId: string,
): Promise<ArchivedTarget> {
  for (let attempt = 0; ; attempt += 1) {
    const jobId = childJobId(parentJobId, attempt, documentId);
    const begun = await findBegun(deps, tenant, { jobId, documentId });
    const outcome = begun && (await readOutcome(deps.blobs, begun));
    if (outcome?.state === 'aborted') continue;
    const job = await deps.ledger.getJob(tenant, jobId);
    return { jobId, ...(job ? { job } : begun ? { begun } : {}) };
  }
}

/**
 * Accepts a document of an archive with all that was made of it: a first version, or the next one where the document is
 * there. Its version has the number that it had where that is free.
 * @throws MemoryError `conflict` where the document is in another namespace, or the namespace has another model by now
 */
export async function acceptArchived(deps: StepDeps, context: StepContext, archived: Archived): Promise<JobRecord> {
  const { payload, manifest } = context;
  const { document, original, target } = archived;
  const { jobId, begun } = target;
  if (begun) {
    await writeArtifacts(deps, begun, archived);
    return finishAccept(deps, begun, undefined, original);
  }
  const { mediaType, filename } = document.original;
  return accept(deps, {
    tenant: payload.tenant,
    namespace: payload.namespace,
    documentId: document.documentId,
    title: document.title,
    metadata: document.metadata,
    priority: manifest.priority,
    options: archived.manifest.options,
    source: { type: 'upload', ...(filename ? { filename } : {}) },
    ...(mediaType ? { declaredMediaType: mediaType } : {}),
    original,
    jobId,
    parentJobId: payload.jobId,
    imported: {
      documentCreatedAt: document.createdAt,
      version: document.version,
      writeArtifacts: (version) => writeArtifacts(deps, version, archived),
    },
  });
}

async function writeArtifacts(
  { blobs }: StepDeps,
  ref: VersionRef & { readonly embeddingModel: string },
  { document, extraction, pages, set, vectors, tokens }: Archived,
): Promise<void> {
  if (ref.embeddingModel !== set.model) throw otherModel(ref.embeddingModel, set.model);
  await blobs.put(extractionKey(ref), encodeJson(extraction));
  for (const page of pages) await blobs.put(ocrPageKey(ref, page.number), encodeJson(page));
  await blobs.put(chunksKey(ref), encodeJson(ownChunks(ref, set, document.title)));
  for (const [batch, bytes] of vectors.entries()) await blobs.put(vectorsKey(ref, batch * vectorBatchSize), bytes);
  if (tokens) await blobs.put(tokensKey(ref), tokens);
}

/** Ids follow from where a chunk lies. Words find the document by its present title; what was embedded stays as it was. */
const ownChunks = ({ tenant, documentId, version }: VersionRef, set: ChunkSet, title: string): ChunkSet => ({
  ...set,
  title,
  chunks: set.chunks.map((chunk) => ({ ...chunk, chunkId: chunkIdOf(tenant, documentId, version, chunk.index) })),
});

/** An archive brings vectors, and those of two models cannot be compared. */
export const otherModel = (model: string, archives: string) =>
  new MemoryError('conflict', `The namespace has the model ${model}; the archive has vectors of ${archives}.`, {
    hint: 'Import into a new namespace, or re-index this one with that model first.',
  });
