import type { Service } from '@semantic-memory/e2e/service';
import { ingestAll } from '../ingest-all.ts';
import { watchProcesses } from '../process-watch.ts';
import { shortTexts } from '../short-texts.ts';
import { rounded } from '../statistics.ts';
import { bareModelSpeed } from './bare-speed.ts';

/** Short texts, a request each. */
export async function measureShortTexts(service: Service, count: number) {
  const namespace = 'short-texts';
  const texts = shortTexts(count);
  const watch = watchProcesses(service.pid);
  const run = await ingestAll(
    service,
    namespace,
    texts.map((text, index) => () => service.client.ingestText(text, { namespace, documentId: `note-${index}` })),
  );
  const use = await watch.stop();
  const bare = await bareModelSpeed(texts.slice(0, 600).map((text, index) => `note-${index}\n${text}`));
  const chunksPerSecond = run.chunks / run.seconds;
  return {
    ...run,
    chunksPerSecond: rounded(chunksPerSecond),
    bareModelPerSecond: rounded(bare),
    share: rounded(chunksPerSecond / bare),
    use,
  };
}
