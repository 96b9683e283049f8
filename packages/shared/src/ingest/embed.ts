import { isDeepStrictEqual } from 'node:util';
import { MemoryError } from '../contracts/errors.ts';
import type { Chunk, ChunkSet } from '../contracts/model/chunk.ts';
import type { Extraction } from '../contracts/model/extraction.ts';
import type { Manifest } from '../contracts/model/manifest.ts';
import { nameOf } from './accept.ts';
import { encodeJson, readChunkSet, readExtraction, readVectors, vectorBatchSize, writeVectors } from './artifacts.ts';
import { assembleText } from './assemble-text.ts';
import { chunksKey, type VersionRef, vectorsKey } from './blob-keys.ts';
import { chunkDocument } from './chunk/chunk-document.ts';
import type { StepDeps } from './deps.ts';
import { readOcrPages } from './ocr.ts';
import { titleOf } from './parse.ts';
import { othersGoFirst, type Step, type StepContext } from './step.ts';

/** Cuts the text into chunks and embeds them in batches, each an artifact of its own: a crash repeats at most one. */
export const embedStep: Step = async (deps, context) => {
  const { payload, manifest } = context;
  const embedder = deps.embedderFor(manifest.embeddingModel);
  await embedder.ready();
  const known = await knownVectors(deps, payload, manifest, embedder.dimension);
  const { chunks, dimension } = await chunksOf(deps, context, embedder.dimension);
  let tokens = 0;
  let makesWay = false;
  const embedBatch = async (from: number): Promise<void> => {
    const batch = chunks.slice(from, from + vectorBatchSize);
    if (await readVectors(deps.blobs, payload, from, { count: batch.length, dimension })) return;
    const fresh = batch.filter((chunk) => !known.has(chunk.contentHash));
    const vectors = await embedder.embedPassages(
      fresh.map((chunk) => chunk.embedText),
      context.signal,
      payload.tenant,
    );
    fresh.forEach((chunk, index) => {
      const vector = vectors[index];
      if (vector?.length !== dimension)
        throw new MemoryError('internal', `The model gave no vector of ${dimension} numbers.`);
      known.set(chunk.contentHash, vector);
      tokens += chunk.tokens;
    });
    await writeVectors(
      deps.blobs,
      payload,
      from,
      batch.map((chunk) => vectorOf(known, chunk)),
    );
    if (await context.checkpoint()) makesWay = true;
  };
  // Two batches are under way: while one is written, and while its last text is embedded, no process stands idle.
  let before: Promise<void> | undefined;
  for (let from = 0; from < chunks.length; from += vectorBatchSize) {
    if (makesWay) {
      await before;
      throw othersGoFirst();
    }
    await context.progress(Math.max(0, from - vectorBatchSize), chunks.length);
    const batch = embedBatch(from);
    // Awaited in its turn; until then a failure is not unhandled.
    batch.catch(() => {});
    await before;
    before = batch;
  }
  await before;
  if (tokens > 0) deps.metrics.embeddingTokens(manifest.embeddingModel, tokens);
  await context.progress(chunks.length, chunks.length);
  return { nextTotal: chunks.length };
};

function vectorOf(known: ReadonlyMap<string, Float32Array>, chunk: Chunk): Float32Array {
  const vector = known.get(chunk.contentHash);
  if (!vector) throw new MemoryError('internal', `Chunk ${chunk.index} has no vector.`);
  return vector;
}

/**
 * The chunks of this version. A crash finds those of the earlier attempt. A retry may have read more pages, so it cuts
 * anew; what is cut as before keeps its vectors.
 */
async function chunksOf(deps: StepDeps, context: StepContext, dimension: number): Promise<ChunkSet> {
  const { payload } = context;
  const earlier = await readChunkSet(deps.blobs, payload);
  if (earlier && payload.run === 0) return earlier;
  const set = await cutChunks(deps, context, dimension);
  if (earlier && isDeepStrictEqual(earlier, set)) return earlier;
  for (let from = 0; earlier && from < earlier.chunks.length; from += vectorBatchSize) {
    await deps.blobs.remove(vectorsKey(payload, from));
  }
  await deps.blobs.put(chunksKey(payload), encodeJson(set));
  return set;
}

async function cutChunks(deps: StepDeps, { payload, manifest }: StepContext, dimension: number): Promise<ChunkSet> {
  const extraction = await readExtraction(deps.blobs, payload);
  if (!extraction) throw new MemoryError('internal', 'The document was not parsed before it was to be embedded.');
  const ocrPages = await readOcrPages(deps.blobs, payload, extraction);
  const text = assembleText(extraction, ocrPages);
  const failure = [...ocrPages.values()].find((page) => page.failure)?.failure;
  if (!/\S/.test(text.text)) throw nothingToRead(extraction, failure);
  const { tenant, documentId, version } = payload;
  const title = titleOf(extraction, manifest.title, nameOf(manifest));
  const model = manifest.embeddingModel;
  const chunks = chunkDocument({ text, title, tenant, documentId, version, model, tokenizer: deps.tokenizer });
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

/**
 * Vectors of the active version and of an earlier run of this one, by the hash of what was embedded: what has not
 * changed is not paid for again.
 */
async function knownVectors(
  deps: StepDeps,
  ref: VersionRef & { readonly run: number },
  manifest: Manifest,
  dimension: number,
): Promise<Map<string, Float32Array>> {
  const known = new Map<string, Float32Array>();
  const sources: VersionRef[] = ref.run > 0 ? [ref] : [];
  if (ref.version > 1) {
    const document = await deps.ledger.getDocument(ref.tenant, ref.documentId);
    const version = document?.activeVersion ?? 0;
    if (version > 0 && version < ref.version) sources.push({ ...ref, version });
  }
  for (const source of sources) {
    const set = await readChunkSet(deps.blobs, source);
    if (set?.model !== manifest.embeddingModel || set.dimension !== dimension) continue;
    for (let from = 0; from < set.chunks.length; from += vectorBatchSize) {
      const batch = set.chunks.slice(from, from + vectorBatchSize);
      const vectors = await readVectors(deps.blobs, source, from, { count: batch.length, dimension });
      vectors?.forEach((vector, index) => {
        const chunk = batch[index];
        if (chunk) known.set(chunk.contentHash, vector);
      });
    }
  }
  return known;
}
