import type { Service } from '@semantic-memory/e2e/service';
import { ingestAll } from '../ingest-all.ts';
import { watchProcesses } from '../process-watch.ts';
import { createRandom, seededText } from '../seeded-text.ts';
import { rounded } from '../statistics.ts';
import { bareModelSpeed } from './bare-speed.ts';

/** Short texts of 30 to 90 words, all different: what a team's notes look like. */
export async function measureShortTexts(service: Service, count: number) {
  const namespace = 'short-texts';
  const random = createRandom(1);
  const texts = Array.from({ length: count }, () => seededText(random, 30 + Math.floor(random() * 60)));
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
