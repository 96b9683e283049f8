import { MemoryError } from '../../contracts/errors.ts';
import type { ChunkSet } from '../../contracts/model/chunk.ts';
import type { JobRecord } from '../../ports/ledger.ts';
import { acceptChild, type Child } from '../accept-child.ts';
import type { StoredBytes } from '../accept-request.ts';
import { chunkIdOf } from '../chunk/chunk-id.ts';
import type { StepDeps } from '../deps.ts';
import type { StepContext } from '../step.ts';
import { encodeJson, vectorBatchSize } from '../stored/artifacts.ts';
import { chunksKey, extractionKey, ocrPageKey, tokensKey, type VersionRef, vectorsKey } from '../stored/blob-keys.ts';
import type { ArchivedVersion } from './read-archive.ts';

type Archived = Omit<ArchivedVersion<unknown>, 'kept'> & { readonly original: StoredBytes };

/**
 * Accepts a document of an archive with all that was made of it: a first version, or the next one where the document is
 * there. Its version has the number that it had where that is free.
 * @returns undefined where it was deleted meanwhile
 * @throws MemoryError `conflict` where the document is in another namespace, or the namespace has another model by now
 */
export async function acceptArchived(
  deps: StepDeps,
  { payload, manifest }: StepContext,
  child: Child,
  archived: Archived,
): Promise<JobRecord | undefined> {
  const { document, original } = archived;
  const { mediaType, filename } = document.original;
  return acceptChild(deps, payload, child, {
    title: document.title,
    metadata: document.metadata,
    priority: manifest.priority,
    options: archived.manifest.options,
    source: { type: 'upload', ...(filename ? { filename } : {}) },
    ...(mediaType ? { declaredMediaType: mediaType } : {}),
    original,
    imported: { documentCreatedAt: document.createdAt },
    atLeast: document.version,
    writeArtifacts: (version) => writeArtifacts(deps, version, archived),
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
