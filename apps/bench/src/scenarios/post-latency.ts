import type { Service } from '@semantic-memory/e2e/service';
import { createRandom, seededText } from '../seeded-text.ts';
import { quantile, rounded, timed } from '../statistics.ts';

/** How soon `POST /ingest` answers for a file of 100 kB, one request after another, while the workers are busy. */
export async function measurePostLatency(service: Service, posts: number) {
  const namespace = 'post-latency';
  const random = createRandom(2);
  const text = seededText(random, 16_000).slice(0, 100_000);
  const post = (index: number) => {
    const file = { blob: new Blob([`${index} ${text}`], { type: 'text/plain' }), filename: `report-${index}.txt` };
    return service.client.ingestFile(file, { namespace, documentId: `report-${index}` });
  };
  // The first ones give the workers something to do.
  for (let index = 0; index < 10; index += 1) await post(index);
  const times: number[] = [];
  for (let index = 10; index < 10 + posts; index += 1) times.push((await timed(() => post(index))).ms);
  const busy = (await service.client.admin.queues()).queues.reduce(
    (sum, queue) => sum + queue.waiting + queue.active,
    0,
  );
  // What is left is of no use to anyone.
  for (const job of (await service.client.jobs({ namespace, limit: 100 })).items) {
    if (job.finishedAt === undefined) await service.client.cancel(job.id).catch(() => undefined);
  }
  return { posts, jobsLeftAtTheEnd: busy, p50Ms: rounded(quantile(times, 0.5)), p95Ms: rounded(quantile(times, 0.95)) };
}
