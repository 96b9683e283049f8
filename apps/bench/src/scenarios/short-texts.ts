import type { Service } from '@semantic-memory/e2e/service';
import { shortTexts } from '../short-texts.ts';
import { ingestBesideBareModel } from './beside-bare-model.ts';

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
  const measure = (namespace: string, posts: readonly (() => Promise<unknown>)[]) =>
    ingestBesideBareModel(service, namespace, posts, texts.slice(0, bareSample));
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
