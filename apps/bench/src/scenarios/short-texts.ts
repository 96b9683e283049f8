import type { Service } from '@semantic-memory/e2e/service';
import { ingestAll } from '../ingest-all.ts';
import { watchProcesses } from '../process-watch.ts';
import { shortTexts } from '../short-texts.ts';
import { rounded } from '../statistics.ts';
import { bareModelSpeed } from './bare-speed.ts';

const batchItems = 100;
const bareSample = 400;

/**
 * The same short texts, a request each and in batches. The model alone is measured before and after each, since the speed
 * of a machine that others use too changes from one minute to the next.
 */
export async function measureShortTexts(service: Service, count: number) {
  const texts = shortTexts(count);
  const bare = () => bareModelSpeed(texts.slice(0, bareSample));
  const itemsOf = (namespace: string) =>
    texts.map((text, index) => ({
      source: { type: 'text' as const, text },
      namespace,
      documentId: `${namespace}-${index}`,
    }));
  const each = itemsOf('each');
  const inBatches = Array.from({ length: Math.ceil(count / batchItems) }, (_, batch) =>
    itemsOf('batched').slice(batch * batchItems, (batch + 1) * batchItems),
  );
  const measure = async (namespace: string, posts: readonly (() => Promise<unknown>)[], bareBefore: number) => {
    const watch = watchProcesses(service.pid);
    const run = await ingestAll(service, namespace, posts);
    const use = await watch.stop();
    const bareAfter = await bare();
    const chunksPerSecond = run.chunks / run.seconds;
    const bareModelPerSecond = (bareBefore + bareAfter) / 2;
    const share = chunksPerSecond / bareModelPerSecond;
    return {
      bareAfter,
      result: {
        ...run,
        chunksPerSecond: rounded(chunksPerSecond),
        bareModelPerSecond: rounded(bareModelPerSecond),
        share: rounded(share),
        use,
      },
    };
  };
  const single = await measure(
    'each',
    each.map(
      ({ source, ...fields }) =>
        () =>
          service.client.ingest(source, fields),
    ),
    await bare(),
  );
  const batched = await measure(
    'batched',
    inBatches.map((items) => () => service.client.ingestBatch(items)),
    single.bareAfter,
  );
  return { ...single.result, batched: batched.result };
}
