import { MemoryError } from '../contracts/errors.ts';
import type { StepPayload } from '../contracts/jobs.ts';
import type { Chunk, ChunkSet } from '../contracts/model/chunk.ts';
import type { Extraction } from '../contracts/model/extraction.ts';
import type { CollectionKey, VectorRecord } from '../ports/vector-index.ts';
import { readChunkSet, readExtraction, readVectors, vectorBatchSize } from './artifacts.ts';
import type { StepDeps } from './deps.ts';
import { endDeleted, endJob, followOutcome } from './finish.ts';
import { readOcrPages, unreadablePages } from './ocr.ts';
import { removeOutcome, writeOutcomeOnce } from './outcome.ts';
import { factsOf } from './parse.ts';
import type { Step, StepContext, StepResult } from './step.ts';

/** Records of one write: as many as the index takes well in one call. */
const writeAtOnce = 4 * vectorBatchSize;

/**
 * Commits a version: writes its chunks, sees them in the index, records that durably, then flips the document to it,
 * then removes the version before. A search never sees a half-written one.
 */
export const indexStep: Step = async (deps, context) => {
  const { payload, manifest } = context;
  const set = await readChunkSet(deps.blobs, payload);
  if (!set) throw new MemoryError('internal', 'The document was not embedded before it was to be indexed.');
  const key: CollectionKey = { tenant: payload.tenant, namespace: payload.namespace, model: manifest.embeddingModel };
  // A retry may have read more pages: under the same ids there may be other text now.
  if (payload.run > 0) await removeRecords(deps, payload);
  for (let from = 0; from < set.chunks.length; from += writeAtOnce) {
    await context.progress(from, set.chunks.length);
    const records: VectorRecord[] = [];
    for (let at = from; at < Math.min(from + writeAtOnce, set.chunks.length); at += vectorBatchSize) {
      const batch = set.chunks.slice(at, at + vectorBatchSize);
      const vectors = await readVectors(deps.blobs, payload, at, { count: batch.length, dimension: set.dimension });
      if (!vectors) throw new MemoryError('internal', `The vectors from chunk ${at} on are missing.`);
      records.push(...batch.map((chunk, index) => vectorRecord(context, chunk, vectors[index])));
    }
    await deps.indexWriter.write(key, records);
  }
  return commit(deps, context, key, set);
};

async function commit(deps: StepDeps, context: StepContext, key: CollectionKey, set: ChunkSet): Promise<StepResult> {
  const { payload } = context;
  context.signal.throwIfAborted();
  const extraction = await readExtraction(deps.blobs, payload);
  if (!extraction) throw new MemoryError('internal', 'The document was not parsed before it was to be indexed.');
  const warnings = await warningsOf(deps, payload, extraction);
  const facts = { ...factsOf(extraction), title: set.title, chunks: set.chunks.length };
  const at = new Date(deps.clock.now()).toISOString();
  const outcome = await writeOutcomeOnce(deps.blobs, payload, {
    state: warnings.length > 0 ? 'partial' : 'succeeded',
    run: payload.run,
    at,
    ...(warnings.length > 0 ? { warnings } : {}),
  });
  if (outcome.state !== 'succeeded' && outcome.state !== 'partial') {
    // A cancel was faster.
    await removeRecords(deps, payload);
    await followOutcome(deps, payload, outcome, context.updateJob);
    return { ended: true };
  }
  const flip = await deps.ledger.activateVersion(payload, payload.documentId, payload.version, at, facts);
  if (flip.outcome === 'activated') {
    await followOutcome(deps, payload, outcome, context.updateJob);
    if (flip.previous > 0 && flip.previous !== payload.version) {
      await deps.vectors.removeDocument(key, payload.documentId, flip.previous);
    }
    return { ended: true };
  }
  // Written well, and yet not to be found: the durable outcome is corrected before the ledger says so.
  await removeRecords(deps, payload);
  await removeOutcome(deps.blobs, payload);
  if (flip.outcome === 'gone') await endDeleted(deps, payload);
  else {
    const message = 'A newer version was indexed first.';
    await endJob(deps, payload, 'cancelled', { error: { code: 'cancelled', message } }, context.updateJob);
  }
  return { ended: true };
}

/** Takes back what a version has in the index, since it will not be the active one. */
export async function removeRecords(
  deps: Pick<StepDeps, 'vectors' | 'ledger'>,
  { tenant, namespace, documentId, version }: StepPayload,
): Promise<void> {
  for (const known of await deps.ledger.namespaces(tenant)) {
    if (known.namespace !== namespace) continue;
    await deps.vectors.removeDocument({ tenant, namespace, model: known.embeddingModel }, documentId, version);
  }
}

async function warningsOf(deps: StepDeps, payload: StepPayload, extraction: Extraction) {
  if (!extraction.pages.some((page) => page.needsOcr)) return [];
  const unread = unreadablePages(await readOcrPages(deps.blobs, payload, extraction));
  if (unread.length === 0) return [];
  const all = extraction.pages.length;
  return [{ code: 'pages_unreadable', message: `${all - unread.length} of ${all} pages were read.` }, ...unread];
}

function vectorRecord({ payload }: StepContext, chunk: Chunk, vector: Float32Array | undefined): VectorRecord {
  if (!vector) throw new MemoryError('internal', `Chunk ${chunk.index} has no vector.`);
  return {
    chunkId: chunk.chunkId,
    vector,
    text: chunk.text,
    documentId: payload.documentId,
    version: payload.version,
    index: chunk.index,
    page: chunk.page,
    headings: chunk.headings,
    start: chunk.span.start,
    end: chunk.span.end,
  };
}
