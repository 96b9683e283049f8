import type { Embedder, LateInteraction } from '@semantic-memory/shared/ports/embedder';
import { inSpan } from './tracing.ts';

/**
 * Spans around the calls of embedding models, which may be in a child process or at an endpoint.
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
 */
export function traceEmbedders<Found extends Embedder | undefined>(
  embedderFor: (model: string) => Found,
): (model: string) => Found {
  const traced = new WeakMap<Embedder, Embedder>();
  return (model) => {
    const embedder = embedderFor(model);
    if (!embedder) return embedder;
    const known = traced.get(embedder) ?? traceEmbedder(embedder);
    traced.set(embedder, known);
    // A traced embedder is an embedder: what `Found` adds is undefined only.
    return known as Found;
  };
}

function traceEmbedder(embedder: Embedder): Embedder {
  const { model } = embedder;
  const embeddings = <Result>(texts: number, work: () => Promise<Result>) =>
    inSpan(
      `embeddings ${model}`,
      {
        kind: 'client',
        attributes: {
          'gen_ai.operation.name': 'embeddings',
          'gen_ai.request.model': model,
          'semantic_memory.texts': texts,
        },
      },
      work,
    );
  const traceLate = (late: LateInteraction): LateInteraction => ({
    dimension: late.dimension,
    embedPassages: (texts, signal, owner) => embeddings(texts.length, () => late.embedPassages(texts, signal, owner)),
    embedQuery: (text, signal) => embeddings(1, () => late.embedQuery(text, signal)),
  });
  return {
    model,
    get dimension() {
      return embedder.dimension;
    },
    get maxTokens() {
      return embedder.maxTokens;
    },
    get lateInteraction() {
      return embedder.lateInteraction && traceLate(embedder.lateInteraction);
    },
    ready: () => embedder.ready(),
    embedPassages: (texts, signal, owner) =>
      embeddings(texts.length, () => embedder.embedPassages(texts, signal, owner)),
    embedQuery: (text, signal) => embeddings(1, () => embedder.embedQuery(text, signal)),
    outage: () => embedder.outage?.(),
    close: () => embedder.close(),
  };
}
