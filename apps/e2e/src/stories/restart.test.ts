import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { eventually, waitForEnd } from '../job-end.ts';
import { descendants, type Service, startService } from '../service.ts';

const dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-restart-'));
let service: Service | undefined;

afterAll(async () => {
  await service?.stop();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

/** The worker process that embeds: the one whose child runs the model. */
async function embeddingWorker(running: Service): Promise<number | undefined> {
  for (const { pid, command } of await descendants(running.pid)) {
    if (!command.includes('apps/worker')) continue;
    if ((await descendants(pid)).some((child) => child.command.includes('embedding-child'))) return pid;
  }
  return undefined;
}

test('a worker killed in mid-ingest is replaced, and the document it had ends well', async () => {
  service = await startService({ dataDir });
  const running = service;
  // Enough text to keep the embedding busy for some seconds.
  const paragraphs = Array.from({ length: 400 }, (_, index) =>
    `Paragraph ${index} speaks of item ${index * 7919}. `.repeat(12),
  );
  const job = await running.client.ingestText(paragraphs.join('\n\n'), { documentId: 'long' });
  await eventually(async () => {
    const embed = (await running.client.job(job.id)).stages.find((stage) => stage.name === 'embed');
    return embed?.state === 'running' && embed.done > 0;
  });
  process.kill(await eventually(() => embeddingWorker(running)), 'SIGKILL');
  const ended = await waitForEnd(running, job.id, 120_000);
  expect(ended).toMatchObject({ state: 'succeeded' });
  const chunks = (await running.client.document('long')).chunks;
  expect(chunks).toBeGreaterThan(100);
  expect(await running.client.stats()).toMatchObject({ chunks, vectors: chunks, consistent: true });
}, 240_000);

test('after Ctrl-C and another start everything is as it was', async () => {
  const before = service;
  if (!before) throw new Error('the service did not start');
  const query = { query: 'which paragraph speaks of item 791900', topK: 5 };
  /** With all that ranks them: on a busy machine the first search does not wait for vectors of tokens, and says so. */
  const hitsOf = ({ client }: Service) =>
    eventually(async () => {
      const { hits, degraded } = await client.search(query);
      return degraded ? undefined : hits;
    });
  const hitsBefore = await hitsOf(before);
  expect(hitsBefore.length).toBe(5);
  expect(await before.stop()).toBe(0);
  expect(await descendants(before.pid)).toEqual([]);

  service = await startService({ dataDir });
  expect(service.token).not.toBe('');
  expect(await hitsOf(service)).toEqual(hitsBefore);
  expect(await service.client.stats()).toMatchObject({ documents: 1, consistent: true });
}, 120_000);
