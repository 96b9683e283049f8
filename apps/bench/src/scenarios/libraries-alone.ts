import { type ChildProcess, fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nextMessage } from '@semantic-memory/adapters/child/next-message';
import { inParallel } from '@semantic-memory/client/in-parallel';
import type { Service } from '@semantic-memory/e2e/service';
import { freePort } from '@semantic-memory/runtime/free-port';
import { Queue } from 'bullmq';
import { openStores } from '../generated-memory.ts';
import { shortTexts } from '../short-texts.ts';
import { rounded } from '../statistics.ts';
import { bareModelSpeed } from './bare-speed.ts';

const postsAtOnce = 8;
const lookEveryMs = 50;

/**
 * How near to the model's own speed one can come with short texts, a request each: the same texts through the libraries
 * alone, in the servers of the service. A request, a synced file, a job, the model in the worker's own process, a synced
 * vector, Chroma by sixteen. It has no tenants, versions, words or token vectors, and no way back after a crash.
 */
export async function measureLibrariesAlone(service: Service, count: number) {
  const texts = shortTexts(count);
  const stores = await openStores(service);
  const folder = join(service.dataDir, 'libraries-alone');
  await mkdir(folder);
  const queueName = 'libraries-alone';
  const queue = new Queue(queueName, { connection: { url: stores.redisUrl } });
  const port = await freePort();
  const start = async (name: string, ...args: readonly (string | number)[]): Promise<ChildProcess> => {
    const program = fileURLToPath(new URL(`../libraries-alone/${name}.ts`, import.meta.url));
    const child = fork(program, args.map(String), { execArgv: ['--conditions=development'] });
    await nextMessage(child);
    return child;
  };
  const children = await Promise.all([
    start('post-server', port, folder, stores.redisUrl, queueName),
    ...Array.from({ length: availableParallelism() }, () =>
      start('embed-worker', folder, stores.redisUrl, queueName, stores.chromaPort),
    ),
  ]);
  try {
    const startedAt = performance.now();
    await inParallel([...texts.entries()], postsAtOnce, async ([index, text]) => {
      const body = JSON.stringify({ id: `note-${index}`, text });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`http://127.0.0.1:${port}/texts`, { method: 'POST', headers, body });
      if (response.status !== 202) throw new Error(`a text was answered ${response.status}`);
      await response.arrayBuffer();
    });
    while (Object.values(await queue.getJobCounts('wait', 'active', 'delayed')).some((jobs) => jobs > 0))
      await delay(lookEveryMs);
    const seconds = (performance.now() - startedAt) / 1000;
    const failed = await queue.getFailedCount();
    if (failed > 0) throw new Error(`${failed} texts were not embedded`);
    for (const child of children) child.kill('SIGKILL');
    const bare = await bareModelSpeed(texts.slice(0, 600));
    const perSecond = count / seconds;
    return {
      seconds,
      perSecond: rounded(perSecond),
      bareModelPerSecond: rounded(bare),
      share: rounded(perSecond / bare),
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await queue.close();
    await stores.close();
  }
}
