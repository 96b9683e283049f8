import type { Service } from '@semantic-memory/e2e/service';
import { ingestAll } from '../ingest-all.ts';
import { watchProcesses } from '../process-watch.ts';
import { rounded } from '../statistics.ts';
import { bareModelSpeed } from './bare-speed.ts';

/**
 * Ingests by `posts` into an empty namespace, against the speed of the model alone: the mean of before and after, since a
 * machine that others use too changes from one minute to the next.
 * @param texts what the model alone embeds
 */
export async function ingestBesideBareModel(
  service: Service,
  namespace: string,
  posts: readonly (() => Promise<unknown>)[],
  texts: readonly string[],
) {
  const before = await bareModelSpeed(texts);
  const watch = watchProcesses(service.pid);
  const run = await ingestAll(service, namespace, posts);
  const use = await watch.stop();
  const bare = (before + (await bareModelSpeed(texts))) / 2;
  const chunksPerSecond = run.chunks / run.seconds;
  return {
    ...run,
    chunksPerSecond: rounded(chunksPerSecond),
    bareModelPerSecond: rounded(bare),
    share: rounded(chunksPerSecond / bare),
    use,
  };
}
