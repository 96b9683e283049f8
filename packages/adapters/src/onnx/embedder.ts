import type { Embedder } from '@semantic-memory/shared/ports/embedder';
import { EmbeddingPool } from './embedding-pool.ts';
import { type ModelCard, modelFile, readModelCard } from './model-card.ts';
import { createTokenizer, type WordPieceTokenizer } from './tokenizer.ts';

export interface LocalEmbedderOptions {
  /** Child processes, each with its own copy of the model (some 190 MB) and one busy core. */
  readonly processes: number;
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
  const pool = new EmbeddingPool({
    processes: options.processes,
    modelPath: modelFile('model.onnx'),
    encode: (text) => encode(tokenizer, card, text),
  });
  return {
    model: card.name,
    dimension: card.dimension,
    maxTokens: card.maxTokens,
    get pids() {
      return pool.pids;
    },
    ready: () => pool.ready(),
    embedPassages: (texts, signal, owner) =>
      pool.embed(
        texts.map((text) => card.passagePrefix + text),
        { signal, owner },
      ),
    embedQuery: async (text, signal) => {
      const [vector] = await pool.embed([card.queryPrefix + text], { signal, urgent: true });
      return vector!;
    },
    close: () => pool.close(),
  };
}

/** The model's input: control tokens at both ends, cut so that the last one stays. */
export function encode(tokenizer: WordPieceTokenizer, card: ModelCard, text: string): Int32Array {
  const room = card.maxTokens - 2;
  const ids = tokenizer.tokenize(text, room).slice(0, room);
  return Int32Array.from([card.clsTokenId, ...ids.map((token) => token.id), card.sepTokenId]);
}
