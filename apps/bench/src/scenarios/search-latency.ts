import { createEmbedders, localModel } from '@semantic-memory/adapters/embedders/embedders';
import type { SearchInput } from '@semantic-memory/client/inputs';
import { descendants, type Service } from '@semantic-memory/e2e/service';
import { ChromaClient } from 'chromadb';
import { ingestAll } from '../ingest-all.ts';
import { createRandom, seededText } from '../seeded-text.ts';
import { quantile, rounded, timed } from '../statistics.ts';

/**
 * Search over so many chunks against what one by meaning cannot do without: embedding the query and asking Chroma. The
 * default, by words too and reranked, has more to do.
 */
export async function measureSearch(service: Service, chunks: number, searches: number) {
  const namespace = 'search';
  const random = createRandom(3);
  const texts = Array.from({ length: chunks }, () => seededText(random, 14));
  const run = await ingestAll(
    service,
    namespace,
    texts.map((text, index) => () => service.client.ingestText(text, { namespace, documentId: `line-${index}` })),
  );
  // Of each kind queries of its own: none is in a cache.
  const queries = () => Array.from({ length: searches }, () => seededText(random, 8));
  const byDefault = await latencies(service, queries(), { namespace });
  const dense = await latencies(service, queries(), { namespace, mode: 'dense' });
  const parts = await measureParts(service, run.chunks, queries());
  const times = ({ p50Ms }: { readonly p50Ms: number }) => rounded(p50Ms / (parts.embed + parts.chroma));
  return {
    ...run,
    searches,
    default: { ...byDefault, timesParts: times(byDefault) },
    dense: { ...dense, timesParts: times(dense) },
    embedP50Ms: rounded(parts.embed),
    chromaP50Ms: rounded(parts.chroma),
  };
}

async function latencies(service: Service, queries: readonly string[], options: Omit<SearchInput, 'query'>) {
  const all: number[] = [];
  for (const query of queries) all.push((await timed(() => service.client.search({ query, ...options }))).ms);
  return { p50Ms: rounded(quantile(all, 0.5)), p95Ms: rounded(quantile(all, 0.95)) };
}

/** Medians of embedding a query in this process's own child, and of the raw client's query with the ten nearest. */
async function measureParts(service: Service, chunks: number, queries: readonly string[]) {
  const embedders = createEmbedders({ processes: 1 });
  try {
    const embedder = embedders.embedderFor(localModel);
    await embedder.ready();
    const collection = await collectionOfSize(service, chunks);
    const embed: number[] = [];
    const chroma: number[] = [];
    for (const query of queries) {
      const { result: vector, ms } = await timed(() => embedder.embedQuery(query));
      embed.push(ms);
      chroma.push((await timed(() => collection.query({ queryEmbeddings: [[...vector]], nResults: 10 }))).ms);
    }
    return { embed: quantile(embed, 0.5), chroma: quantile(chroma, 0.5) };
  } finally {
    await embedders.close();
  }
}

async function collectionOfSize(service: Service, chunks: number) {
  const chroma = (await descendants(service.pid)).find(({ command }) => /chroma.*--port/.test(command));
  const port = Number(/--port (\d+)/.exec(chroma?.command ?? '')?.[1]);
  const client = new ChromaClient({ host: '127.0.0.1', port, ssl: false });
  for (const collection of await client.listCollections()) if ((await collection.count()) === chunks) return collection;
  throw new Error(`no collection of ${chunks} chunks on port ${port}`);
}
