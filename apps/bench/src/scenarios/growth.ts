import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { SearchInput } from '@semantic-memory/client/inputs';
import { descendants, type Service } from '@semantic-memory/e2e/service';
import { Redis } from 'ioredis';
import { fillMemory, openStores, type Stores } from '../generated-memory.ts';
import { createRandom } from '../seeded-text.ts';
import { quantile, rounded, timed } from '../statistics.ts';
import { zipfText } from '../zipf-text.ts';

const namespace = 'growth';
const searches = 200;
const warmUps = 40;
const wordsPerQuery = 7;

/** How searches are asked that are measured, each kind with queries of its own: none is in a cache. */
const kinds: Record<string, Partial<SearchInput>> = {
  'hybrid with rerank': {},
  'hybrid without': { rerank: false },
  lexical: { mode: 'lexical' },
  dense: { mode: 'dense' },
};

/** Latency of searches and memory, in a namespace of so many chunks of generated text. */
export async function measureGrowth(service: Service, chunks: number) {
  const stores = await openStores(service);
  try {
    const fillSeconds = await fillMemory(stores, namespace, chunks);
    const postingsBytes = await postingsMemory(stores);
    const { ms: compactMs } = await timed(async () => {
      while (!(await stores.lexical.compact([{ tenant: 'demo', namespace }], { always: true })).done);
    });
    const compactedBytes = await postingsMemory(stores);
    const settleSeconds = await settled(service);
    const random = createRandom(chunks + 1);
    const latencies: Record<string, object> = {};
    for (const [kind, options] of Object.entries(kinds)) {
      const queries = Array.from({ length: warmUps + searches }, () => zipfText(random, wordsPerQuery));
      latencies[kind] = await measureSearches(service, queries, options, warmUps);
      // The same once more: all are in the cache.
      if (kind === 'hybrid with rerank')
        latencies['from the cache'] = await measureSearches(service, queries, options, warmUps);
    }
    return {
      chunks,
      fillSeconds: Object.fromEntries(Object.entries(fillSeconds).map(([part, value]) => [part, rounded(value, 1)])),
      latencies,
      postingsBytesPerChunk: Math.round(postingsBytes / chunks),
      compactedBytesPerChunk: Math.round(compactedBytes / chunks),
      compactSeconds: rounded(compactMs / 1000, 1),
      settleSeconds: rounded(settleSeconds, 1),
      memoryMb: await residentMb(service),
    };
  } finally {
    await stores.close();
  }
}

/**
 * Waits until all processes of the service together have used less than a twentieth of a core for five seconds: right
 * after so many writes Chroma still builds its index and Redis rewrites its log, which is not what a search costs.
 * @returns the seconds that took. @throws after ten minutes
 */
async function settled(service: Service): Promise<number> {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  for (let before = await cpuSeconds(service); seconds() < 600; ) {
    await delay(5_000);
    const now = await cpuSeconds(service);
    if (now - before < 0.25) return seconds();
    before = now;
  }
  throw new Error('the service was still busy ten minutes after it was filled');
}

async function measureSearches(
  service: Service,
  queries: readonly string[],
  options: Partial<SearchInput>,
  warm: number,
) {
  const before = await cpuSeconds(service);
  const all: number[] = [];
  const degraded: Record<string, number> = {};
  for (const query of queries) {
    const { result, ms } = await timed(() => service.client.search({ query, namespace, ...options }));
    all.push(ms);
    for (const reason of result.degraded ?? []) degraded[reason] = (degraded[reason] ?? 0) + 1;
  }
  const measured = all.slice(warm);
  const used = (await cpuSeconds(service)) - before;
  return {
    p50Ms: rounded(quantile(measured, 0.5), 1),
    p95Ms: rounded(quantile(measured, 0.95), 1),
    /** Of all processes of the service, a search. */
    processorMs: rounded((used * 1000) / queries.length, 1),
    degraded,
  };
}

/** What Redis says that lists, lengths and ranges of the namespace take. */
async function postingsMemory({ redisUrl, prefix }: Stores): Promise<number> {
  const redis = new Redis(redisUrl);
  try {
    let bytes = 0;
    let cursor = '0';
    do {
      const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}:ledger:*:lx:*`, 'COUNT', 1000);
      const sizes = await Promise.all(found.map((key) => redis.memory('USAGE', key)));
      for (const size of sizes) bytes += Number(size ?? 0);
      cursor = next;
    } while (cursor !== '0');
    return bytes;
  } finally {
    await redis.quit();
  }
}

const roleOf = (command: string) =>
  /apps\/api\//.test(command)
    ? 'api'
    : /redis-server|valkey/.test(command)
      ? 'redis'
      : /chroma/.test(command)
        ? 'chroma'
        : 'others';

async function residentMb(service: Service): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { pid, command } of await descendants(service.pid)) {
    const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0');
    const role = roleOf(command);
    sums[role] = (sums[role] ?? 0) + (Number(statm.split(' ')[1]) * 4096) / 1e6;
  }
  return Object.fromEntries(Object.entries(sums).map(([role, mb]) => [role, Math.round(mb)]));
}

async function cpuSeconds(service: Service): Promise<number> {
  let ticks = 0;
  for (const { pid } of await descendants(service.pid)) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks / 100;
}
