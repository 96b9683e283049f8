import type { Embedder } from '@semantic-memory/shared/ports/embedder';
import type { BreakerState } from '../breaker/breaker.ts';
import { type OpenaiEndpoint, openaiClient } from './client.ts';
import { ModelAway, modelBreaker, openaiFailure } from './failure.ts';

/** A request may hold 2,048 texts and 300,000 tokens (OpenAI's reference); chunks have 512 tokens at the most. */
const textsPerCall = 256;
const defaultTimeoutMs = 30_000;
const defaultMaxTokens = 8191;
/** Dimensions of OpenAI's own models; those of others are found out by `ready`. */
const knownDimensions: Record<string, number> = {
  'text-embedding-3-small': 1536,
  'text-embedding-3-large': 3072,
  'text-embedding-ada-002': 1536,
};

export interface OpenaiEmbedderOptions extends OpenaiEndpoint {
  readonly model: string;
  /** What every vector must have. Models whose name begins with `text-embedding-3` are asked to shorten to it. */
  readonly dimension?: number | undefined;
  readonly maxTokens?: number | undefined;
  /** The longest that one call may take. */
  readonly timeoutMs?: number | undefined;
  /** Remembers the dimension for other processes and later ones: a model's vectors all have the same. */
  readonly dimensions?: ModelDimensions | undefined;
  readonly onBreakerState?: ((state: BreakerState) => void) | undefined;
}

export interface ModelDimensions {
  /** Undefined for a model that nobody has used yet. */
  known(model: string): Promise<number | undefined>;
  /** Fixes the dimension of a model where nobody has yet; returns the one that stands. */
  agree(model: string, dimension: number): Promise<number>;
}

/**
 * Embeddings from any endpoint that speaks OpenAI's protocol, normalised. Every answer must hold one vector a text, all
 * of the model's dimension, or it is refused: nothing of it may be stored.
 *
 * Errors: `dependency_unavailable` (away, too many calls, key refused, an answer that cannot be used; with the time to
 * wait), `embedding_rejected` (the input itself), the signal's reason.
 */
export function createOpenaiEmbedder(options: OpenaiEmbedderOptions): Embedder {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const client = openaiClient(options, timeoutMs);
  const breaker = modelBreaker(options.onBreakerState);
  const { model } = options;
  const shortened = options.dimension !== undefined && model.startsWith('text-embedding-3');
  let dimension = options.dimension ?? knownDimensions[model];

  async function call(texts: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    // An empty text is refused by the protocol, and is none the less a text of a document.
    const input = texts.map((text) => (text === '' ? ' ' : text));
    const request = {
      model,
      input,
      encoding_format: 'float' as const,
      ...(shortened && dimension ? { dimensions: dimension } : {}),
    };
    // The library's own timeout ends with the headers; a body may stall as well.
    const deadline = AbortSignal.timeout(timeoutMs);
    const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
    const answer = await client.embeddings.create(request, { signal: either }).catch((error: unknown) => {
      throw openaiFailure(error, { rejected: 'embedding_rejected', signal });
    });
    const vectors = orderedVectors(answer, texts.length);
    const first = vectors[0]!.length;
    dimension ??= (await options.dimensions?.agree(model, first)) ?? first;
    const wrong = vectors.find((vector) => vector.length !== dimension);
    if (wrong) throw invalid(`it gave ${wrong.length} numbers for a text in place of ${dimension}`);
    return vectors.map(unitVector);
  }

  async function embedPassages(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    const vectors: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += textsPerCall)
      vectors.push(...(await breaker.run(() => call(texts.slice(from, from + textsPerCall), signal))));
    return vectors;
  }

  return {
    model,
    get dimension() {
      return dimension ?? 0;
    },
    maxTokens: options.maxTokens ?? defaultMaxTokens,
    outage: () => breaker.outage(),
    ready: async () => {
      dimension ??= await options.dimensions?.known(model);
      if (dimension === undefined) await embedPassages(['dimension']);
    },
    embedPassages,
    embedQuery: async (text, signal) => {
      dimension ??= await options.dimensions?.known(model);
      const [vector] = await embedPassages([text], signal);
      return vector!;
    },
    close: async () => {},
  };
}

/** The vectors by their index. The answer comes from another program: nothing about it is taken for granted. */
function orderedVectors(answer: unknown, count: number): number[][] {
  const data = (answer as { data?: unknown } | null)?.data;
  if (!Array.isArray(data) || data.length !== count)
    throw invalid(`it did not give ${count} vectors for ${count} texts`);
  const vectors: number[][] = [];
  data.forEach((entry: { index?: unknown; embedding?: unknown } | null, position) => {
    const index = entry?.index ?? position;
    const embedding = entry?.embedding;
    if (
      typeof index !== 'number' ||
      !Array.isArray(embedding) ||
      embedding.length === 0 ||
      !embedding.every(Number.isFinite)
    )
      throw invalid('it gave something else than vectors');
    vectors[index] = embedding;
  });
  if (vectors.length !== count || Object.keys(vectors).length !== count)
    throw invalid('it gave the same text two vectors');
  return vectors;
}

function unitVector(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values);
  if (length === 0) throw invalid('it gave a vector without direction');
  return Float32Array.from(values, (value) => value / length);
}

function invalid(what: string): ModelAway {
  return new ModelAway(`The embedding model's answer cannot be used: ${what}.`, {
    hint: 'Check that EMBEDDING_MODEL names an embedding model of this endpoint and that its dimension has not changed.',
  });
}
