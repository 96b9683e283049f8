import type { Embedder } from '@semantic-memory/shared/ports/embedder';

/** An embedder whose code is loaded with its first use: most processes never use a second one. */
export function deferredEmbedder(model: string, load: () => Promise<Embedder>): Embedder {
  let embedder: Embedder | undefined;
  let loading: Promise<Embedder> | undefined;
  const loaded = async () => {
    loading ??= load();
    embedder = await loading;
    return embedder;
  };
  return {
    model,
    get dimension() {
      return embedder?.dimension ?? 0;
    },
    get maxTokens() {
      return embedder?.maxTokens ?? 0;
    },
    ready: async () => (await loaded()).ready(),
    embedPassages: async (texts, signal, owner) => (await loaded()).embedPassages(texts, signal, owner),
    embedQuery: async (text, signal) => (await loaded()).embedQuery(text, signal),
    outage: () => embedder?.outage?.(),
    close: async () => {
      if (loading) await (await loading).close();
    },
  };
}
