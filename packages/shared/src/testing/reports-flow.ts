import { createFakeEmbedder, type FakeEmbedder } from './fake-embedder.ts';
import { createInMemoryFlow, type InMemoryFlow } from './in-memory-flow.ts';

export const reportTopics = [
  'harbour',
  'lighthouse',
  'trawler',
  'estuary',
  'buoy',
  'keel',
  'rudder',
  'anchor',
  'jetty',
  'reef',
];

export interface ReportsFlow {
  readonly flow: InMemoryFlow;
  /** Of the model that the namespace is to get. */
  readonly embedder: FakeEmbedder;
  /** Takes in a text a second after the last one, and runs all that is queued. */
  ingested(text: string, documentId: string): Promise<void>;
}

/** A namespace of ten reports, `report-0` to `report-9`, for which two other models are served. */
export async function createReportsFlow(next: string, third: string): Promise<ReportsFlow> {
  const embedder = createFakeEmbedder(next);
  const flow = createInMemoryFlow({ otherModels: [embedder, createFakeEmbedder(third)] });
  const ingested = async (text: string, documentId: string) => {
    flow.ahead += 1000;
    await flow.ingest(text, { documentId });
    await flow.drain();
  };
  for (const [at, topic] of reportTopics.entries())
    await ingested(`The ${topic} of report ${at} lies at mark ${at * 7919}.`, `report-${at}`);
  return { flow, embedder, ingested };
}
