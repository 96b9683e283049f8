import { MemoryError } from '../contracts/errors.ts';
import type { Chunk } from '../contracts/model/chunk.ts';
import type { NewBlob } from '../ports/blob-store.ts';
import type { EmbeddedPassage, Embedder } from '../ports/embedder.ts';
import type { StepDeps } from './deps.ts';
import { takeForStep } from './jobs/step-quota.ts';
import { readVectors, vectorBatchSize, vectorsBlob } from './stored/artifacts.ts';
import { type EmbeddedChunks, markEmbedded } from './stored/embedded-chunks.ts';
import { createTokenKeeper, tokensOf } from './token-keeper.ts';

/** A vector space. */
export type Model = Pick<Embedder, 'model' | 'dimension'>;

/** Whoever embeds has a say before a batch is begun, and is told of each that is stored. */
export interface EmbedWatch {
  readonly signal: AbortSignal;
  /** The chunks where they are not stored yet, which is done with the first batch: no vectors that may lie there are theirs. */
  readonly newChunks?: NewBlob | undefined;
  /** Throws where no more is to be begun: what is in hand is still stored. */
  beforeBatch?(): void;
  /** With how many chunks are stored by then, and whether this batch was not before. */
  afterBatch?(stored: number, isNew: boolean): Promise<void>;
}

/** Stores what was embedded. */
type Store = () => Promise<unknown>;

/**
 * So many texts of the next batch wait at the model while it is at one: enough to keep it busy from the last text of a
 * batch until the others of the next have come (some 70 ms; two processes take 50 to 200 for these), and few enough for
 * those who wait behind them.
 */
const textsAhead = 8;

/**
 * Embeds the chunks that have no vectors of this model yet, in batches that are stored one by one: whoever repeats it
 * goes on where it was. Two batches are in hand at a time, which is what a crash repeats: while one is embedded or stored
 * the next one has begun, so that the model waits neither for the last text of a batch nor for the disk.
 * @param former what was embedded of the document before: token vectors are taken from there where the text is the same
 * @param known vectors by content hash, which need not be embedded; those that are made are added
 */
export async function embedChunks(
  deps: Pick<StepDeps, 'blobs' | 'metrics' | 'quotas'>,
  embedder: Embedder,
  embedded: EmbeddedChunks,
  former: readonly EmbeddedChunks[],
  known: Map<string, Float32Array>,
  watch: EmbedWatch,
): Promise<void> {
  const { ref, set } = embedded;
  const { chunks, dimension } = set;
  const late = embedder.lateInteraction;
  const keeper = late && createTokenKeeper(deps, embedded, former, late);
  let tokens = 0;
  // What was begun for nothing is taken back.
  const leave = new AbortController();
  const signal = AbortSignal.any([watch.signal, leave.signal]);
  /** Embeds a batch, and returns what stores it; undefined where it is stored already. */
  const embedBatch = async (from: number, before?: Promise<unknown>): Promise<Store | undefined> => {
    watch.beforeBatch?.();
    const batch = chunks.slice(from, from + vectorBatchSize);
    const expected = { count: batch.length, dimension };
    const isStored = async () =>
      (await readVectors(deps.blobs, ref, from, expected)) && ((await keeper?.isStored(from)) ?? true);
    if (!watch.newChunks && (await isStored())) return;
    const knownTokens = await keeper?.known(batch);
    const fresh = batch.filter(
      ({ contentHash }) => !known.has(contentHash) || (knownTokens && !knownTokens.has(contentHash)),
    );
    const made = await embedAll(deps, embedder, fresh, { before, signal, tenant: ref.tenant });
    fresh.forEach((chunk, index) => {
      const { vector, tokens: ofTokens } = made[index] ?? {};
      if (vector?.length !== dimension)
        throw new MemoryError('internal', `The model gave no vector of ${dimension} numbers.`);
      known.set(chunk.contentHash, vector);
      if (ofTokens) knownTokens?.set(chunk.contentHash, tokensOf(chunk, { vector, tokens: ofTokens }));
      tokens += chunk.tokens;
    });
    const vectors = batch.map((chunk) => known.get(chunk.contentHash)!);
    const ofTokens =
      knownTokens && batch.map((chunk) => ({ ...knownTokens.get(chunk.contentHash)!, textStart: chunk.span.start }));
    return () =>
      deps.blobs.putAll([
        ...(watch.newChunks && from === 0 ? [watch.newChunks] : []),
        vectorsBlob(ref, from, vectors),
        ...(keeper && ofTokens ? [keeper.blobOf(from, ofTokens)] : []),
      ]);
  };
  const begin = (from: number, before?: Promise<unknown>) =>
    from < chunks.length ? thrownWhereAwaited(embedBatch(from, before)) : undefined;
  const finish = async (to: number, store: Store | undefined) => {
    await store?.();
    await watch.afterBatch?.(Math.min(to, chunks.length), store !== undefined);
  };
  let current: ReturnType<typeof begin>;
  let next = begin(0);
  let stored: Promise<void> = Promise.resolve();
  try {
    for (let to = vectorBatchSize; next; to += vectorBatchSize) {
      current = next;
      await stored;
      next = begin(to, current);
      stored = thrownWhereAwaited(finish(to, await current));
    }
    await stored;
  } finally {
    leave.abort();
    // Nothing of this attempt is still being embedded or written once it is over.
    await Promise.allSettled([current, next, stored]);
  }
  await keeper?.finish();
  await markEmbedded(deps.blobs, embedded);
  if (tokens > 0) deps.metrics.embeddingTokens(embedder.model, tokens);
}

/** The same: that it fails is not unheard of before somebody waits for it. */
function thrownWhereAwaited<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

type Made = Pick<EmbeddedPassage, 'vector'> & Partial<EmbeddedPassage>;

/**
 * Vectors, and in the same runs those of tokens where the model gives them. What is not embedded after all is given back.
 * @param turn.before until then only the first few go to the model
 */
async function embedAll(
  deps: Pick<StepDeps, 'quotas'>,
  embedder: Embedder,
  chunks: readonly Chunk[],
  turn: { readonly before: Promise<unknown> | undefined; readonly signal: AbortSignal; readonly tenant: string },
): Promise<readonly Made[]> {
  const { before, signal, tenant } = turn;
  const ask = async (part: readonly Chunk[]): Promise<readonly Made[]> => {
    const texts = part.map((chunk) => chunk.embedText);
    if (embedder.lateInteraction) return embedder.lateInteraction.embedPassages(texts, signal, tenant);
    return (await embedder.embedPassages(texts, signal, tenant)).map((vector) => ({ vector }));
  };
  const tokens = chunks.reduce((sum, chunk) => sum + chunk.tokens, 0);
  if (tokens > 0) await takeForStep(deps, tenant, { tokens });
  try {
    if (!before || chunks.length <= textsAhead) return await ask(chunks);
    const others = before.then(() => ask(chunks.slice(textsAhead)));
    return (await Promise.all([ask(chunks.slice(0, textsAhead)), others])).flat();
  } catch (error) {
    await deps.quotas?.count(tenant, { tokens: -tokens });
    throw error;
  }
}
