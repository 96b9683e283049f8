import type { Embedder, LateInteraction } from '@semantic-memory/shared/ports/embedder';
import { type EmbeddedText, EmbeddingPool, type EncodedText } from './embedding-pool.ts';
import { type ModelCard, modelFile, readFloats, readModelCard } from './model-card.ts';
import { createTokenizer, type WordPieceTokenizer } from './tokenizer.ts';

export interface LocalEmbedderOptions {
  /** Child processes, each with its own copy of the model (some 190 MB) and one busy core. */
  readonly processes: number;
  /** Whether it also gives vectors of tokens. */
  readonly lateInteraction?: boolean | undefined;
  /** Whether its processes give way to others: where nobody waits for a query. */
  readonly background?: boolean | undefined;
}

export interface LocalEmbedder extends Embedder {
  /** Ids of the processes that run now. */
  readonly pids: readonly number[];
}

/**
 * The shipped model, run in child processes that start on first use. Texts are embedded one at a time, so a vector
 * depends on its text alone; queries overtake passages. A process that dies is replaced and its texts are run again.
 *
 * Errors: `internal` (backoff) where processes keep dying, `dependency_unavailable` after `close`, and the signal's
 * reason once it has fired.
 */
export function createLocalEmbedder(options: LocalEmbedderOptions): LocalEmbedder {
  const card = readModelCard();
  const tokenizer = createTokenizer();
  const { dimension, projection } = card.lateInteraction;
  const pool = new EmbeddingPool({
    processes: options.processes,
    modelPath: modelFile('model.onnx'),
    background: options.background,
    ...(options.lateInteraction
      ? { projection: { path: modelFile(projection), from: card.dimension, to: dimension } }
      : {}),
    encode: (text) => encode(tokenizer, card, text),
  });
  const passages = (texts: readonly string[]) => texts.map((text) => card.passagePrefix + text);
  return {
    model: card.name,
    dimension: card.dimension,
    maxTokens: card.maxTokens,
    get pids() {
      return pool.pids;
    },
    ready: () => pool.ready(),
    embedPassages: async (texts, signal, owner) =>
      (await pool.embed(passages(texts), { signal, owner })).map(({ vector }) => vector),
    embedQuery: async (text, signal) => {
      const [embedded] = await pool.embed([card.queryPrefix + text], { signal, urgent: true });
      return embedded!.vector;
    },
    ...(options.lateInteraction ? { lateInteraction: tokensOf(pool, card, tokenizer) } : {}),
    close: () => pool.close(),
  };
}

/** As the embedder, with what the same runs say of the tokens. */
function tokensOf(pool: EmbeddingPool, card: ModelCard, tokenizer: WordPieceTokenizer): LateInteraction {
  const { dimension, tokenWeights } = card.lateInteraction;
  const skipPassage = 1 + tokenizer.tokenize(card.passagePrefix).length;
  const skipQuery = 1 + tokenizer.tokenize(card.queryPrefix).length;
  let weights: Float32Array | undefined;
  const weightsOf = ({ tokenIds }: EncodedText): Float32Array => {
    weights ??= readFloats(modelFile(tokenWeights), card.vocabularySize);
    const known = weights;
    return Float32Array.from(tokenIds.subarray(skipQuery, -1), (id) => known[id]!);
  };
  const passageOf = ({ vector, encoded: { starts }, tokens }: EmbeddedText) => ({
    vector,
    tokens: { ...tokens!, starts: starts.slice(skipPassage - 1).map((start) => start - card.passagePrefix.length) },
  });
  return {
    dimension,
    embedPassages: async (texts, signal, owner) => {
      const passages = texts.map((text) => card.passagePrefix + text);
      return (await pool.embed(passages, { signal, owner, skip: skipPassage })).map(passageOf);
    },
    embedQuery: async (text, signal) => {
      const [embedded] = await pool.embed([card.queryPrefix + text], { signal, urgent: true, skip: skipQuery });
      const { vector, encoded, tokens } = embedded!;
      return { vector, tokens: { ...tokens!, weights: weightsOf(encoded) } };
    },
  };
}

/** The model's input: control tokens at both ends, cut so that the last one stays. */
export function encode(tokenizer: WordPieceTokenizer, card: ModelCard, text: string): EncodedText {
  const room = card.maxTokens - 2;
  const tokens = tokenizer.tokenize(text, room).slice(0, room);
  return {
    tokenIds: Int32Array.from([card.clsTokenId, ...tokens.map(({ id }) => id), card.sepTokenId]),
    starts: Int32Array.from(tokens, ({ start }) => start),
  };
}
