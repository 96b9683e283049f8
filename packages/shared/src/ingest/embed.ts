import { isDeepStrictEqual } from 'node:util';
import { MemoryError } from '../contracts/errors.ts';
import type { ChunkSet } from '../contracts/model/chunk.ts';
import type { Extraction } from '../contracts/model/extraction.ts';
import type { NewBlob } from '../ports/blob-store.ts';
import { assembleText } from './chunk/assemble-text.ts';
import { chunkDocumentInTurns } from './chunk/chunk-document.ts';
import type { StepDeps } from './deps.ts';
import { embedChunks, type Model } from './embed-chunks.ts';
import { nameOf } from './new-manifest.ts';
import { readOcrPages } from './ocr.ts';
import { titleOf } from './parse.ts';
import { extractionOf } from './plain-text/extraction-of.ts';
import { modelOf } from './reindex/namespace-models.ts';
import { othersGoFirst, type Step, type StepContext } from './step.ts';
import { encodeJson, readChunkSet, readManifest, vectorBatchSize } from './stored/artifacts.ts';
import { chunksKey, vectorsKey } from './stored/blob-keys.ts';
import { type EmbeddedChunks, embeddedBy } from './stored/embedded-chunks.ts';
import { formerChunks, knownVectors } from './versions/former-chunks.ts';

/**
 * Cuts the text into chunks and embeds them in batches, each an artifact of its own: a crash repeats at most two. The
 * chunks are stored with the first batch.
 */
export const embedStep: Step = async (deps, context) => {
  const { payload, signal } = context;
  const embedder = deps.embedderFor(await modelOf(deps, context.manifest));
  await embedder.ready();
  const former = await formerChunks(deps, payload, embedder);
  const { known, newChunks, ...embedded } = await chunksOf(deps, context, embedder, former);
  const { length: total } = embedded.set.chunks;
  let makesWay = false;
  await context.progress(0, total);
  await embedChunks(deps, embedder, embedded, former, known, {
    signal,
    newChunks,
    beforeBatch() {
      if (makesWay) throw othersGoFirst();
    },
    async afterBatch(stored, isNew) {
      await context.progress(stored, total);
      if (isNew && (await context.checkpoint())) makesWay = true;
    },
  });
  return { nextTotal: total };
};

/**
 * The chunks of this version, with the vectors that are there already. A crash finds those of the earlier attempt. A
 * retry may have read more pages, so it cuts anew; what is cut as before keeps its vectors.
 */
async function chunksOf(
  deps: StepDeps,
  context: StepContext,
  model: Model,
  former: readonly EmbeddedChunks[],
): Promise<EmbeddedChunks & { readonly known: Map<string, Float32Array>; readonly newChunks?: NewBlob }> {
  const { payload } = context;
  const earlier = await readChunkSet(deps.blobs, payload);
  const set = earlier && payload.run === 0 ? earlier : await cutChunks(deps, context, model, former);
  const embedded = embeddedBy(payload, set, model);
  // Before any are removed: an earlier run's are among them.
  const known = await knownVectors(deps, former, embedded.set);
  if (earlier && isDeepStrictEqual(earlier, set)) return { ...embedded, known };
  const newChunks = { key: chunksKey(payload), bytes: encodeJson(set) };
  if (!earlier) return { ...embedded, known, newChunks };
  for (let from = 0; from < earlier.chunks.length; from += vectorBatchSize) {
    await deps.blobs.remove(vectorsKey(payload, from));
  }
  await deps.blobs.put(newChunks.key, newChunks.bytes);
  return { ...embedded, known };
}

async function cutChunks(
  deps: StepDeps,
  { payload, manifest, signal }: StepContext,
  { model, dimension }: Model,
  former: readonly EmbeddedChunks[],
): Promise<ChunkSet> {
  const extraction = await extractionOf(deps.blobs, payload, manifest);
  if (!extraction) {
    // Unless it was deleted meanwhile.
    await readManifest(deps.blobs, payload);
    throw new MemoryError('internal', 'The document was not parsed before it was to be embedded.');
  }
  const ocrPages = await readOcrPages(deps.blobs, payload, extraction);
  const text = assembleText(extraction, ocrPages);
  const failure = [...ocrPages.values()].find((page) => page.failure)?.failure;
  if (!/\S/.test(text.text)) throw nothingToRead(extraction, failure);
  const { tenant, documentId, version } = payload;
  const title = titleOf(extraction, manifest.title, nameOf(manifest));
  const input = {
    text,
    // An id that stands in for a title says nothing of the text, and would make all chunks of the document alike.
    title: title === documentId ? '' : title,
    tenant,
    documentId,
    version,
    model,
    tokenizer: deps.tokenizer,
    former: former[0]?.set.chunks,
  };
  const chunks = await chunkDocumentInTurns(input, signal);
  return { schemaVersion: 1, title, model, dimension, chunks };
}

function nothingToRead(extraction: Extraction, failure: string | undefined): MemoryError {
  const hadPictures = extraction.pages.some((page) => page.needsOcr);
  // Not the same as a page that was read and has no text on it.
  if (failure !== undefined) {
    return new MemoryError('corrupt_document', `No page could be read: ${failure}`, {
      hint: 'Open it and save it anew; where it looks right, retry the job.',
    });
  }
  if (hadPictures) {
    return new MemoryError('no_text_found', 'No text was found in the pictures of this document.', {
      hint: 'Scan it anew with at least 200 dots per inch, upright and in focus.',
    });
  }
  return new MemoryError('empty_document', 'The document has no text.');
}
