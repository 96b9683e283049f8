import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@semantic-memory/client/client';
import { inParallel } from '@semantic-memory/client/in-parallel';
import { tenantToken } from '@semantic-memory/e2e/chaos/tenant-token';
import { waitForEnd } from '@semantic-memory/e2e/job-end';
import type { Service } from '@semantic-memory/e2e/service';
import { createRandom, seededText } from '../seeded-text.ts';
import { quantile, rounded } from '../statistics.ts';

/** As many words as give a text that is one chunk of the model, near its full length. */
const wordsPerText = 200;
const batchSize = 100;
const batchesAtOnce = 4;

/**
 * How long one document of a tenant takes to be found, with the machine idle and behind the documents of another tenant:
 * while they are still sent, and once all of them wait.
 * @param backlog documents of the other tenant
 * @param documents of the one, one after the other, for each figure
 */
export async function measureFairness(service: Service, backlog: number, documents: number) {
  const random = createRandom(4);
  const secret = (await readFile(join(service.dataDir, 'jwt-secret'), 'utf8')).trim();
  const token = tenantToken(secret, 'small');
  const small = { ...service, token, client: createClient({ baseUrl: service.url, token }) };
  const wait = async () => {
    const startedAt = performance.now();
    const job = await small.client.ingestText(seededText(random, wordsPerText));
    const { state } = await waitForEnd(small, job.id, 600_000);
    if (state !== 'succeeded') throw new Error(`the one document ended ${state}`);
    return performance.now() - startedAt;
  };
  const waits = async (until: () => boolean) => {
    const times: number[] = [];
    while (times.length < documents && !until()) times.push(await wait());
    return times;
  };
  await wait();
  const idle = await waits(() => false);

  const batches = Array.from({ length: Math.ceil(backlog / batchSize) }, (_, batch) =>
    Array.from({ length: Math.min(batchSize, backlog - batch * batchSize) }, () => ({
      source: { type: 'text' as const, text: seededText(random, wordsPerText) },
    })),
  );
  let isSent = false;
  const sending = inParallel(batches, batchesAtOnce, (items) => service.client.ingestBatch(items)).finally(() => {
    isSent = true;
  });
  const whileSent = await waits(() => isSent);
  await sending;
  const waitingBefore = await waitingOf(service);
  const behind = await waits(() => false);
  const waitingAfter = await waitingOf(service);
  if (waitingAfter === 0) throw new Error('nothing of the other tenant waits any more: the backlog is too small');
  return {
    backlog,
    waitingBefore,
    waitingAfter,
    idle: summary(idle),
    whileSent: summary(whileSent),
    behind: summary(behind),
    timesIdle: rounded(quantile(behind, 0.5) / quantile(idle, 0.5)),
    timesIdleWhileSent: rounded(quantile(whileSent, 0.5) / quantile(idle, 0.5)),
  };
}

async function waitingOf(service: Service): Promise<number> {
  const { queues } = await service.client.admin.queues();
  return queues.reduce((sum, { waiting }) => sum + waiting, 0);
}

const summary = (times: readonly number[]) => ({
  documents: times.length,
  p50Ms: rounded(quantile(times, 0.5)),
  p90Ms: rounded(quantile(times, 0.9)),
  longestMs: rounded(Math.max(...times)),
});
