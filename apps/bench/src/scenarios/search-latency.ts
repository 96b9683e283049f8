import { createEmbedders, localModel } from '@semantic-memory/adapters/embedders/embedders';
import { descendants, type Service } from '@semantic-memory/e2e/service';
import { ChromaClient } from 'chromadb';
import { ingestAll } from '../ingest-all.ts';
import { createRandom, seededText } from '../seeded-text.ts';
import { quantile, rounded, timed } from '../statistics.ts';

/** Search over so many chunks against what it cannot do without: embedding the query and asking Chroma. */
export async function measureSearch(service: Service, chunks: number, searches: number) {
  const namespace = 'search';
  const random = createRandom(3);
  const texts = Array.from({ length: chunks }, () => seededText(random, 14));
  const run = await ingestAll(
    service,
    namespace,
    texts.map((text, index) => () => service.client.ingestText(text, { namespace, documentId: `line-${index}` })),
  );
  const queries = Array.from({ length: searches }, () => seededText(random, 8));
  const whole: number[] = [];
  for (const query of queries) whole.push((await timed(() => service.client.search({ query, namespace }))).ms);
  const parts = await measureParts(service, run.chunks, queries);
  const p50Ms = quantile(whole, 0.5);
  return {
    ...run,
    searches,
    p50Ms: rounded(p50Ms),
    p95Ms: rounded(quantile(whole, 0.95)),
    embedP50Ms: rounded(parts.embed),
    chromaP50Ms: rounded(parts.chroma),
    timesParts: rounded(p50Ms / (parts.embed + parts.chroma)),
  };
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
