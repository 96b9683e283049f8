import type { Service } from '@semantic-memory/e2e/service';
import { ingestAll } from '../ingest-all.ts';
import { watchProcesses } from '../process-watch.ts';
import { shortTexts } from '../short-texts.ts';
import { rounded } from '../statistics.ts';
import { besideBareModel } from './bare-speed.ts';

const batchItems = 100;
const bareSample = 400;

/** The same short texts, a request each and in batches, against the model alone. */
export async function measureShortTexts(service: Service, count: number) {
  const texts = shortTexts(count);
  const itemsOf = (namespace: string) =>
    texts.map((text, index) => ({
      source: { type: 'text' as const, text },
      namespace,
      documentId: `${namespace}-${index}`,
    }));
  const measure = async (namespace: string, posts: readonly (() => Promise<unknown>)[]) => {
    const { result, bare } = await besideBareModel(texts.slice(0, bareSample), async () => {
      const watch = watchProcesses(service.pid);
      const run = await ingestAll(service, namespace, posts);
      return { run, use: await watch.stop() };
    });
    const { run, use } = result;
    const chunksPerSecond = run.chunks / run.seconds;
    return {
      ...run,
      chunksPerSecond: rounded(chunksPerSecond),
      bareModelPerSecond: rounded(bare),
      share: rounded(chunksPerSecond / bare),
      use,
    };
  };
  const each = itemsOf('each').map(
    ({ source, ...fields }) =>
      () =>
        service.client.ingest(source, fields),
  );
  const items = itemsOf('batched');
  const batches = Array.from({ length: Math.ceil(count / batchItems) }, (_, batch) => {
    const batchOf = items.slice(batch * batchItems, (batch + 1) * batchItems);
    return () => service.client.ingestBatch(batchOf);
  });
  return { ...(await measure('each', each)), batched: await measure('batched', batches) };
}
