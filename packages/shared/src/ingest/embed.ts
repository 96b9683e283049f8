import { isDeepStrictEqual } from 'node:util';
import { MemoryError } from '../contracts/errors.ts';
import type { Chunk, ChunkSet } from '../contracts/model/chunk.ts';
import type { Extraction } from '../contracts/model/extraction.ts';
import type { Embedder, PassageTokens } from '../ports/embedder.ts';
import { nameOf } from './accept.ts';
import { assembleText } from './chunk/assemble-text.ts';
import { chunkDocument } from './chunk/chunk-document.ts';
import type { StepDeps } from './deps.ts';
import { readOcrPages } from './ocr.ts';
import { titleOf } from './parse.ts';
import { readPlainText } from './plain-text/read-plain-text.ts';
import { othersGoFirst, type Step, type StepContext } from './step.ts';
import {
  encodeJson,
  readChunkSet,
  readExtraction,
  readVectors,
  vectorBatchSize,
  writeVectors,
} from './stored/artifacts.ts';
import { chunksKey, vectorsKey } from './stored/blob-keys.ts';
import { createTokenKeeper, type EmbeddedTokens, tokensOf } from './token-keeper.ts';
import { type FormerChunks, formerChunks, knownVectors } from './versions/former-chunks.ts';

/** Cuts the text into chunks and embeds them in batches, each an artifact of its own: a crash repeats at most two. */
export const embedStep: Step = async (deps, context) => {
  const { payload, manifest } = context;
  const embedder = deps.embedderFor(manifest.embeddingModel);
  await embedder.ready();
  const former = await formerChunks(deps, payload, manifest, embedder.dimension);
  const { known, ...set } = await chunksOf(deps, context, embedder.dimension, former);
  const { chunks, dimension } = set;
  const late = embedder.lateInteraction;
  const keeper = late && createTokenKeeper(deps, payload, set, former, late);
  let tokens = 0;
  let makesWay = false;
  /** Embeds a batch, and returns what stores it; undefined where it is stored already. */
  const embedBatch = async (from: number): Promise<(() => Promise<void>) | undefined> => {
    const batch = chunks.slice(from, from + vectorBatchSize);
    const expected = { count: batch.length, dimension };
    if ((await readVectors(deps.blobs, payload, from, expected)) && ((await keeper?.isStored(from)) ?? true)) return;
    const knownTokens = await keeper?.known(batch);
    const fresh = batch.filter(
      ({ contentHash }) => !known.has(contentHash) || (knownTokens && !knownTokens.has(contentHash)),
    );
    const embedded = await embedAll(embedder, fresh, context);
    fresh.forEach((chunk, index) => {
      const { vector, tokens: ofTokens } = embedded[index] ?? {};
      if (vector?.length !== dimension)
        throw new MemoryError('internal', `The model gave no vector of ${dimension} numbers.`);
      known.set(chunk.contentHash, vector);
      if (ofTokens) knownTokens?.set(chunk.contentHash, tokensOf(chunk, { vector, tokens: ofTokens }));
      tokens += chunk.tokens;
    });
    const vectors = batch.map((chunk) => vectorOf(known, chunk));
    const ofTokens =
      keeper && batch.map((chunk) => ({ ...tokensFor(knownTokens, chunk), textStart: chunk.span.start }));
    return async () => {
      await Promise.all([writeVectors(deps.blobs, payload, from, vectors), ofTokens && keeper.store(from, ofTokens)]);
      if (await context.checkpoint()) makesWay = true;
    };
  };
  // One is stored while the next is embedded, so that the model need not wait for the disk: what is not stored yet is
  // what a crash repeats.
  let stored: Promise<void> = Promise.resolve();
  try {
    for (let from = 0; from < chunks.length; from += vectorBatchSize) {
      if (makesWay) throw othersGoFirst();
      await context.progress(from, chunks.length);
      const store = await embedBatch(from);
      await stored;
      if (store) stored = store();
      // Thrown where it is waited for.
      stored.catch(() => {});
    }
    await stored;
  } finally {
    // Nothing of this attempt is still being written once it is over.
    await Promise.allSettled([stored]);
  }
  await keeper?.finish();
  if (tokens > 0) deps.metrics.embeddingTokens(manifest.embeddingModel, tokens);
  await context.progress(chunks.length, chunks.length);
  return { nextTotal: chunks.length };
};

/** Vectors, and in the same runs those of tokens where the model gives them. */
async function embedAll(
  embedder: Embedder,
  chunks: readonly Chunk[],
  { signal, payload: { tenant } }: StepContext,
): Promise<readonly { readonly vector: Float32Array; readonly tokens?: PassageTokens }[]> {
  const texts = chunks.map((chunk) => chunk.embedText);
  if (embedder.lateInteraction) return embedder.lateInteraction.embedPassages(texts, signal, tenant);
  return (await embedder.embedPassages(texts, signal, tenant)).map((vector) => ({ vector }));
}

function tokensFor(known: ReadonlyMap<string, EmbeddedTokens> | undefined, chunk: Chunk): EmbeddedTokens {
  const tokens = known?.get(chunk.contentHash);
  if (!tokens) throw new MemoryError('internal', `Chunk ${chunk.index} has no token vectors.`);
  return tokens;
}

function vectorOf(known: ReadonlyMap<string, Float32Array>, chunk: Chunk): Float32Array {
  const vector = known.get(chunk.contentHash);
  if (!vector) throw new MemoryError('internal', `Chunk ${chunk.index} has no vector.`);
  return vector;
}

/**
 * The chunks of this version, with the vectors that are there already. A crash finds those of the earlier attempt. A
 * retry may have read more pages, so it cuts anew; what is cut as before keeps its vectors.
 */
async function chunksOf(
  deps: StepDeps,
  context: StepContext,
  dimension: number,
  former: readonly FormerChunks[],
): Promise<ChunkSet & { readonly known: Map<string, Float32Array> }> {
  const { payload } = context;
  const earlier = await readChunkSet(deps.blobs, payload);
  const set = earlier && payload.run === 0 ? earlier : await cutChunks(deps, context, dimension, former);
  // Before any are removed: an earlier run's are among them.
  const known = await knownVectors(deps, former, set);
  if (earlier && isDeepStrictEqual(earlier, set)) return { ...earlier, known };
  for (let from = 0; earlier && from < earlier.chunks.length; from += vectorBatchSize) {
    await deps.blobs.remove(vectorsKey(payload, from));
  }
  await deps.blobs.put(chunksKey(payload), encodeJson(set));
  return { ...set, known };
}

async function cutChunks(
  deps: StepDeps,
  { payload, manifest }: StepContext,
  dimension: number,
  former: readonly FormerChunks[],
): Promise<ChunkSet> {
  const extraction = (await readExtraction(deps.blobs, payload)) ?? (await readPlainText(deps, payload, manifest));
  if (!extraction) throw new MemoryError('internal', 'The document was not parsed before it was to be embedded.');
  const ocrPages = await readOcrPages(deps.blobs, payload, extraction);
  const text = assembleText(extraction, ocrPages);
  const failure = [...ocrPages.values()].find((page) => page.failure)?.failure;
  if (!/\S/.test(text.text)) throw nothingToRead(extraction, failure);
  const { tenant, documentId, version } = payload;
  const title = titleOf(extraction, manifest.title, nameOf(manifest));
  const model = manifest.embeddingModel;
  const chunks = chunkDocument({
    text,
    title,
    tenant,
    documentId,
    version,
    model,
    tokenizer: deps.tokenizer,
    former: former[0]?.set.chunks,
  });
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
